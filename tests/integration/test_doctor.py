"""`python -m service doctor`, with each thing broken for real."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, redirect_stdout
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from service.commands.checks.machine import check_cpu
from service.commands.main import run
from service.core.audit import AuditEntry
from service.opening import opened
from service.settings import Settings
from tests.integration.commands import new_key, service_command, within
from tests.postgres import Server
from tests.running import ROOT, environment_of, service_process

ARTIFACT = ROOT / "models" / "sface"
PASSWORD = "pass-word-of-nobody"


def command(data_dir: Path, *arguments: str, **settings: object) -> tuple[int, str]:
    """Exit status and output of a command of the service; in this process, which is quicker."""
    output = io.StringIO()
    with within(environment_of({"data_dir": data_dir, **settings})), redirect_stdout(output):
        return run(list(arguments)), output.getvalue()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A data folder with a key in it, as a start leaves it."""
    folder = tmp_path / "data"
    new_key(folder, "admin")
    return folder


def findings(
    data_dir: Path, *, status: int | None = None, **settings: Any
) -> dict[str, list[dict[str, str]]]:
    """By what they are about. It must say what to do wherever it is not content."""
    found = said(data_dir, status=status, **settings)
    by_about: dict[str, list[dict[str, str]]] = {}
    for one in found["findings"]:
        by_about.setdefault(one["about"], []).append(one)
        assert bool(one["todo"]) == (one["mark"] != "ok"), one
    return by_about


def said(data_dir: Path, *, status: int | None = None, **settings: Any) -> dict[str, Any]:
    returned, text = command(
        data_dir, "doctor", "--json", **{"artifact": ARTIFACT, "port": 0} | settings
    )
    found: dict[str, Any] = json.loads(text)
    failed = sum(one["mark"] == "fail" for one in found["findings"])
    assert returned == (1 if failed else 0)
    assert found["failed"] == failed
    if status is not None:
        assert returned == status, found
    return found


def mark(found: dict[str, list[dict[str, str]]], about: str) -> str:
    """The worst one."""
    marks = [one["mark"] for one in found[about]]
    return next(one for one in ("fail", "warn", "ok") if one in marks)


def test_all_is_well(place: Path) -> None:
    found = findings(place, status=0)
    about = (
        *("settings", "model", "runtime", "storage", "schema", "master key", "audit log"),
        *("api keys", "clock", "permissions", "access", "https", "disk", "open files"),
    )
    for one in about:
        assert mark(found, one) == "ok", found[one]
    assert len(found["storage"]) == 3
    # Also before anything is stored; and it makes nothing.
    empty = place / "not-there"
    assert "nothing is stored yet" in findings(empty)["storage"][0]["said"]
    assert not empty.exists()


def test_it_reads_well(place: Path) -> None:
    done = service_command(place, "doctor", artifact=ARTIFACT, port=0, insecure=True)
    lines = done.stdout.splitlines()
    assert any(line.startswith("ok    model") for line in lines)
    (at,) = [n for n, line in enumerate(lines) if line.startswith("warn  access")]
    assert lines[at + 1].strip() == "-> unset SEMBLANCE_INSECURE for real use"
    assert "0 to put right" in lines[-1]


def test_a_running_service_is_noticed_and_not_disturbed(place: Path) -> None:
    with service_process(place, artifact=ARTIFACT, insecure=False) as service:
        port = service.url.rpartition(":")[2]
        found = findings(place, port=port, status=0)
        assert found["service"][0]["said"] == f"ready on port {port}"
        assert mark(found, "storage") == "ok"


def test_a_setting_that_is_none(place: Path) -> None:
    found = findings(place, status=1, max_image_byte=3)
    assert "did you mean SEMBLANCE_MAX_IMAGE_BYTES?" in found["settings"][0]["said"]
    assert found.keys() == {"settings"}


def test_a_model_that_was_changed(place: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(ARTIFACT, folder)
    file = next(path for path in sorted(folder.rglob("*")) if path.suffix == ".pb")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    found = findings(place, status=1, artifact=folder)
    assert "expected SHA-256" in found["model"][0]["said"]
    assert mark(findings(place, status=1, artifact=tmp_path), "model") == "fail"


def test_keys_that_do_not_fit(place: Path) -> None:
    assert mark(findings(place, master_key="A" * 43), "master key") == "fail"
    broken = findings(place, status=1, master_key="no-key-at-all")
    assert "no-key-at-all" not in json.dumps(broken)
    (place / "master.key").unlink()
    found = findings(place, status=1)
    assert mark(found, "master key") == "fail"
    # It is not made anew, which would look well.
    assert not (place / "master.key").exists()


def test_a_command_for_the_master_key_that_fails(place: Path) -> None:
    found = findings(place, status=1, master_key_command=f"sh -c 'echo {PASSWORD}; false'")
    assert mark(found, "master key") == "fail"
    # The command is the operator's own; what it printed is not shown.
    assert PASSWORD not in found["master key"][0]["said"]


def test_nobody_has_a_key(tmp_path: Path) -> None:
    opened(Settings(data_dir=tmp_path)).close()  # type: ignore[call-arg]
    assert mark(findings(tmp_path), "api keys") == "ok"
    assert mark(findings(tmp_path, status=1, host="0.0.0.0"), "api keys") == "fail"
    new_key(tmp_path, "admin", "--expires", "2d")
    assert mark(findings(tmp_path), "api keys") == "warn"


def test_databases_that_are_spoilt_gone_or_of_another_version(place: Path) -> None:
    file, aside = place / "semblance.sqlite3", place / "aside"
    shutil.copy(file, aside)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    assert mark(findings(place, status=1), "schema") == "fail"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
        connection.commit()
    assert mark(findings(place), "schema") == "warn"
    file.write_bytes(b"not a database, and much longer than a header would be" * 100)
    assert mark(findings(place, status=1), "storage") == "fail"
    file.unlink()
    assert "semblance.sqlite3 is missing" in findings(place, status=1)["storage"][0]["said"]
    assert not file.exists()
    aside.rename(file)
    assert mark(findings(place, status=0), "storage") == "ok"


def test_a_database_that_somebody_has_locked(place: Path) -> None:
    with closing(sqlite3.connect(place / "keys.sqlite3")) as connection:
        connection.isolation_level = None
        connection.execute("BEGIN IMMEDIATE")
        assert mark(findings(place, status=1), "storage") == "fail"


def test_an_audit_log_that_was_changed(place: Path) -> None:
    with closing(sqlite3.connect(place / "audit.sqlite3")) as connection:
        connection.execute("UPDATE audit_head SET count = count + 1")
        connection.commit()
    assert mark(findings(place, status=1), "audit log") == "fail"


def test_a_clock_that_is_behind(place: Path) -> None:
    found = opened(Settings(data_dir=place))  # type: ignore[call-arg]
    later = datetime.now(UTC) + timedelta(hours=3)
    found.audit.record(AuditEntry("list", "ok", "default", at=later), durable=True)
    found.close()
    clock = findings(place, status=1)["clock"]
    assert "in the future" in clock[0]["said"]


def test_files_that_others_may_read(place: Path) -> None:
    (place / "keys.sqlite3").chmod(0o644)
    found = findings(place, status=1)["permissions"]
    assert "keys.sqlite3" in found[0]["said"]
    assert "semblance.sqlite3" not in found[0]["said"]
    (place / "keys.sqlite3").chmod(0o600)
    place.chmod(0o755)
    assert mark(findings(place, status=1), "permissions") == "fail"


def test_addresses_that_give_too_much_away(place: Path) -> None:
    assert mark(findings(place, status=1, host="0.0.0.0", insecure=True), "access") == "fail"
    found = findings(place, host="0.0.0.0")
    assert mark(found, "https") == "warn"
    assert mark(found, "master key's place") == "warn"
    behind: dict[str, Any] = {"host": "0.0.0.0", "trusted_proxies": "10.0.0.2"}
    assert mark(findings(place, **behind), "https") == "ok"
    behind["trusted_proxies"] = "10.0.0.0/8"
    assert mark(findings(place, **behind), "https") == "warn"
    assert mark(findings(place, cors_origins="http://example.org"), "other sites") == "warn"
    assert mark(findings(place, cors_origins="http://localhost:3000"), "other sites") == "ok"


@pytest.fixture
def stranger() -> Iterator[int]:
    """The port of a server that is no service of ours."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def test_a_port_that_is_taken(place: Path, stranger: int) -> None:
    found = findings(place, status=1, port=stranger)
    assert "something else answers" in found["service"][0]["said"]


def test_a_machine_that_is_too_small(place: Path) -> None:
    limited = ["prlimit", "--nofile=200:200", "--as=700000000", sys.executable]
    if shutil.which(limited[0]) is None:
        pytest.skip("the system has no prlimit")
    environment = environment_of({"data_dir": place, "artifact": ARTIFACT, "port": 0})
    done = subprocess.run(
        [*limited, "-m", "service", "doctor", "--json"],
        cwd=ROOT,
        # Threads of number crunchers would not fit.
        env={**environment, "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    marks = {one["about"]: one["mark"] for one in json.loads(done.stdout)["findings"]}
    assert marks["open files"] == "fail"
    assert marks["memory"] in ("warn", "fail")


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        ("flags\t: fpu sse4_2 avx2 avx512_vnni amx_int8\n", "ok"),
        ("flags\t: fpu sse4_2 avx2\n", "warn"),
        ("flags\t: fpu sse4_2\n", "warn"),
        ("Features\t: fp asimd asimddp\n", None),
    ],
)
def test_cpus(tmp_path: Path, described: str, expected: str | None) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text(described)
    (found,) = check_cpu(Settings(), file)  # type: ignore[call-arg]
    if expected is not None:
        assert found.mark == expected, found
    for name in ("avx512_vnni", "amx_int8", "asimddp"):
        if name in described:
            assert name in found.said


def test_postgresql(postgres: Server, tmp_path: Path) -> None:
    address = postgres.new_database()
    settings: dict[str, Any] = {"database": address, "master_key": "A" * 43 + "="}
    assert "makes its tables" in findings(tmp_path, **settings)["schema"][0]["said"]
    assert command(tmp_path, "keys", "create", "--scope", "admin", **settings)[0] == 0
    found = findings(tmp_path, status=0, **settings)
    assert [one["said"] for one in found["storage"]] == [
        "faces: postgresql, can be read and written"
    ]
    assert mark(found, "clock") == mark(found, "audit log") == "ok"
    assert mark(found, "database line") == "ok"
    assert postgres.execute("SELECT 1", address.rpartition("/")[2])
    gone = f"postgresql://semblance:{PASSWORD}@127.0.0.1:9/none"
    refused = said(tmp_path, status=1, **settings | {"database": gone})
    assert any(one["about"] == "storage" and one["mark"] == "fail" for one in refused["findings"])
    assert PASSWORD not in json.dumps(refused)
    far = f"postgresql://semblance:{PASSWORD}@192.0.2.1:9/none?connect_timeout=1"
    lines = said(tmp_path, status=1, **settings | {"database": far})
    assert PASSWORD not in json.dumps(lines)
    (line,) = [one for one in lines["findings"] if one["about"] == "database line"]
    assert (line["mark"], "sslmode=prefer" in line["said"]) == ("warn", True)


def test_no_secret_is_ever_shown(place: Path) -> None:
    key = (place / "master.key").read_text().strip()
    text = json.dumps(said(place)) + command(place, "doctor", artifact=ARTIFACT)[1]
    assert key not in text
    assert key[:12] not in text
