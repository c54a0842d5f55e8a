"""`python -m service audit` over a data folder, as an operator runs it."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from service.commands.context import Context
from service.commands.context import context as open_context
from service.commands.main import run
from service.core.audit import Action, AuditEntry
from service.core.errors import DamagedData
from service.security.master_keys import FILE_NAME, new_master_key
from service.storage.audit_pruning import prune_before
from tests.integration.audit_samples import FILE, outsider
from tests.integration.store_samples import new_reference
from tests.running import ROOT

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ENTRIES: tuple[tuple[Action, str, str | None, str], ...] = (
    ("enroll", "ok", "ann", "default"),
    ("verify", "verified", "ann", "default"),
    ("verify", "not_verified", "bob", "default"),
    ("verify", "unknown_identity", "ann", "other"),
    ("detect", "no_face", None, "default"),
    ("delete_identity", "ok", "bob", "default"),
)
"""One an hour, from `BEGIN`. Enrolled is ann alone, in the collection "default"."""


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a log and a master key, which the settings name."""
    (tmp_path / FILE_NAME).write_text(new_master_key())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEMBLANCE_DATA_DIR", str(tmp_path))
    with open_context(make=True) as context:
        context.store.enrol("ann", [new_reference("1")], limit=5)
        log = context.opened.audit
        for hours, (action, outcome, subject, collection) in enumerate(ENTRIES):
            entry = AuditEntry(
                action,
                outcome,
                collection,
                subject=subject,
                details={"hours": hours},
                at=BEGIN + timedelta(hours=hours),
            )
            log.record(entry, durable=False)
    return tmp_path


@pytest.fixture
def context(data_dir: Path) -> Iterator[Context]:
    with open_context() as context:
        yield context


def exported(capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, Any]]:
    capsys.readouterr()
    assert run(["audit", "export", *options]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def hours(rows: list[dict[str, Any]]) -> list[int]:
    """Which of `ENTRIES` they are; what exporting itself adds is left out."""
    return [row["details"]["hours"] for row in rows if "hours" in row["details"]]


def test_export_tells_everything(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = exported(capsys)
    assert [row["number"] for row in rows] == list(range(1, len(ENTRIES) + 2))
    assert [(row["action"], row["outcome"], row["collection"]) for row in rows[:-1]] == [
        (action, outcome, collection) for action, outcome, _, collection in ENTRIES
    ]
    assert [datetime.fromisoformat(row["at"]) for row in rows[:-1]] == [
        BEGIN + timedelta(hours=hours) for hours in range(len(ENTRIES))
    ]
    # Named is who is enrolled, and where; the others have a pseudonym, each its own.
    assert [row["identity"] for row in rows[:-1]] == ["ann", "ann", None, None, None, None]
    subjects = [row["subject"] for row in rows[:-1]]
    assert subjects[0] == subjects[1]
    assert subjects[2] == subjects[5]
    assert subjects[4] is None
    assert len(set(subjects)) == 4
    # That somebody has looked is in it, too.
    assert rows[-1]["action"] == "audit_export"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--identity", "ann"], [0, 1, 3]),
        (["--identity", "bob"], [2, 5]),
        (["--identity", "nobody"], []),
        (["--identity", "ann", "--collection", "default"], [0, 1]),
        (["--collection", "other"], [3]),
        (["--since", "2026-01-01T04:00:00"], [4, 5]),
        (["--until", "2026-01-01T02:00:00+01:00"], [0]),
        (["--since", "2026-01-01T01:00Z", "--until", "2026-01-01T03:00Z"], [1, 2]),
    ],
)
def test_export_of_a_part(
    data_dir: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    expected: list[int],
) -> None:
    assert hours(exported(capsys, *options)) == expected


def test_export_into_a_file_for_its_owner_alone(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = data_dir / "log.jsonl"
    assert exported(capsys, "--out", str(out)) == []
    assert len(out.read_text().splitlines()) == len(ENTRIES) + 1
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert run(["audit", "export", "--out", str(out)]) == 2  # never over another file


def test_no_name_is_in_the_database(data_dir: Path) -> None:
    with open_context() as context:
        context.record("verify", "default", subject="Tellingname")
    content = b"".join(path.read_bytes() for path in data_dir.iterdir() if path.is_file())
    assert b"not_verified" in content
    assert b"Tellingname" not in content


def test_verify_says_where_the_chain_ends_and_whether_it_got_there_again(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["audit", "verify"]) == 0
    said = capsys.readouterr().out
    assert "6 rows" in said
    anchor = said.split("anchor: ")[1].strip()
    assert run(["audit", "export"]) == 0
    assert run(["audit", "verify", "--expect", anchor]) == 0
    number, mac = anchor.split(":")
    capsys.readouterr()
    assert run(["audit", "verify", "--expect", f"{number}:{'0' * 64}"]) == 1
    assert "row 6: rolled back" in capsys.readouterr().out
    assert run(["audit", "verify", "--expect", f"99:{mac}"]) == 1


def test_verify_says_what_is_wrong(data_dir: Path) -> None:
    """As a process: what counts is the exit status and what is printed."""
    with outsider(data_dir / FILE) as connection:
        connection.execute("UPDATE audit_log SET outcome = 'verified' WHERE number = 3")
    done = subprocess.run(
        [sys.executable, "-m", "service", "audit", "verify"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "row 3: changed" in done.stdout
    assert "anchor" not in done.stdout
    assert done.stderr == ""


def test_what_was_changed_can_still_be_exported(
    data_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = {"details": "'no JSON'", "at_us": "'some day'", "actor": "x'ff00'"}
    with outsider(data_dir / FILE) as connection:
        for number, (column, value) in enumerate(changes.items(), start=1):
            connection.execute(f"UPDATE audit_log SET {column} = {value} WHERE number = {number}")
    rows = exported(capsys, "--since", "2026-01-01")
    assert (rows[0]["details"], rows[1]["at"]) == ("no JSON", "some day")
    assert len(rows) == len(ENTRIES) + 1


@pytest.mark.parametrize("command", ["verify", "export"])
def test_without_the_right_key_nothing_is_said_to_be_well(
    data_dir: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    (data_dir / FILE_NAME).write_text(new_master_key())
    assert run(["audit", command]) == 2
    assert "error:" in capsys.readouterr().err
    (data_dir / FILE_NAME).unlink()
    assert run(["audit", command]) == 2
    assert not (data_dir / FILE_NAME).exists()


def test_a_folder_without_a_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SEMBLANCE_DATA_DIR", str(tmp_path / "wrong"))
    assert run(["audit", "verify"]) == 2
    assert "SEMBLANCE_DATA_DIR" in capsys.readouterr().err
    assert not (tmp_path / "wrong").exists()


# Retention


def pruned(context: Context) -> int:
    opened = context.opened
    return prune_before(opened.audit_engine, opened.audit_key, BEGIN + timedelta(hours=2))


def test_pruning_leaves_a_whole_chain(data_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "verify"]) == 0
    before = capsys.readouterr().out.split("anchor: ")[1].strip()
    assert run(["audit", "prune", "--before", "2026-01-01T03:00"]) == 0
    assert capsys.readouterr().out == "3 rows deleted\n"
    assert hours(exported(capsys)) == [3, 4, 5]
    assert run(["audit", "verify", "--expect", before]) == 0
    assert "after 3 that were pruned" in capsys.readouterr().out
    # Again, of what was pruned before, and of all there is but the note about it.
    assert run(["audit", "prune", "--before", "2026-01-01T03:00"]) == 0
    assert run(["audit", "prune", "--before", "2999-01-01"]) == 0
    assert [row["action"] for row in exported(capsys)] == ["audit_prune", "audit_export"]
    assert run(["audit", "verify"]) == 0
    # What went cannot be held against an anchor any more.
    assert run(["audit", "verify", "--expect", before]) == 1
    assert "pruned" in capsys.readouterr().out


def test_the_database_refuses_to_delete_what_the_head_does_not_give_free(
    data_dir: Path, context: Context
) -> None:
    assert (
        prune_before(
            context.opened.audit_engine, context.opened.audit_key, BEGIN + timedelta(hours=2)
        )
        == 2
    )
    with (
        closing(sqlite3.connect(data_dir / FILE)) as connection,
        pytest.raises(sqlite3.IntegrityError, match="append-only"),
    ):
        connection.execute("DELETE FROM audit_log WHERE number = 3")


def test_a_row_from_before_the_pruning_put_back(data_dir: Path, context: Context) -> None:
    with closing(sqlite3.connect(data_dir / FILE)) as connection:
        row = connection.execute("SELECT * FROM audit_log WHERE number = 1").fetchone()
    prune_before(context.opened.audit_engine, context.opened.audit_key, BEGIN + timedelta(hours=2))
    with outsider(data_dir / FILE) as connection:
        connection.execute(f"INSERT INTO audit_log VALUES ({', '.join('?' * len(row))})", row)
    assert run(["audit", "verify"]) == 1


def test_a_log_that_was_changed_is_not_pruned(data_dir: Path, context: Context) -> None:
    with outsider(data_dir / FILE) as connection:
        connection.execute("UPDATE audit_log SET outcome = 'x' WHERE number = 1")
    with pytest.raises(DamagedData):
        prune_before(
            context.opened.audit_engine, context.opened.audit_key, BEGIN + timedelta(hours=2)
        )
    with closing(sqlite3.connect(data_dir / FILE)) as connection:
        assert connection.execute("SELECT count(*) FROM audit_log").fetchone() == (len(ENTRIES),)
