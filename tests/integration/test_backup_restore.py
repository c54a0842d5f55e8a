"""What a backup holds is what was stored; it comes back on any engine, row by row."""

from __future__ import annotations

import json
import re
import stat
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from service.core.audit import AuditEntry
from service.core.errors import WrongKey
from service.security.api_keys import Keys
from tests.integration.store_samples import new_reference
from tests.integration.transfer_samples import (
    IMAGE_BYTES,
    Spot,
    all_rows,
    fill,
    give_master_key,
    is_empty,
    spot,
    without_audit,
)
from tests.postgres import Server

WAYS = (("sqlite", "sqlite"), ("sqlite", "postgres"), ("postgres", "apart"), ("apart", "sqlite"))


@pytest.fixture(params=WAYS, ids="-".join)
def both(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Spot, Spot]:
    kinds: tuple[str, str] = request.param
    server: Server | None = None
    if kinds != ("sqlite", "sqlite"):
        server = request.getfixturevalue("postgres")
    source, target = (spot(kind, tmp_path / f"{at}", server) for at, kind in enumerate(kinds))
    return source, target


def test_all_that_was_stored_comes_back_row_by_row(both: tuple[Spot, Spot], tmp_path: Path) -> None:
    source, target = both
    texts = fill(source)
    file = tmp_path / "backup"
    said = source.command("backup", file)
    assert str(file) in said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    give_master_key(source, target)
    assert "can be restored" in target.command("restore", file, "--check")
    assert not (target.data_dir / "semblance.sqlite3").exists()
    assert "is restored" in target.command("restore", file)
    before, after = all_rows(source), all_rows(target)
    assert without_audit(after) == without_audit(before)
    assert {name: len(rows) for name, rows in after.items()} == {
        "identities": 6, "face_references": 10, "reference_images": 9, "api_keys": 3,
        "key_usage": 6, "data_keys": 6, "service_keys": 2,
        # Five enrolments, the backup, the restoring.
        "audit_log": 7, "audit_head": 1,
        # What was used counts for a minute, and does not go along.
        "spent_liveness": 0,
    }  # fmt: skip
    assert after["audit_log"][:-1] == before["audit_log"]
    assert after["audit_log"][-1][4] == "restore"
    assert "as it was written: 7 rows" in target.command("audit", "verify")

    # It is not just there, it works.
    with closing(target.opened()) as found:
        shop = found.store.within("shop")
        (reference, *_) = shop.references("person 2")
        expected = new_reference("2 0", image_bytes=IMAGE_BYTES)
        assert np.array_equal(reference.embedding, expected.embedding)
        image = shop.image("person 2", reference.reference_id)
        assert image is not None
        assert image.data == expected.image
        assert found.store.about("person 1").metadata == {"badge": "é 4711"}
        keys = Keys(found.store.keys, found.pepper)
        assert keys.recognise(texts["good"]).quota_per_day == 77
        for name in ("old", "out"):
            with pytest.raises(WrongKey):
                keys.recognise(texts[name])
        # New rows are numbered behind those that came.
        known = {row[0] for row in before["face_references"]}
        found.store.enrol("new", [new_reference("new")], limit=5)
    new = [row for row in all_rows(target)["face_references"] if row[0] not in known]
    assert [row[0] > max(known) for row in new] == [True]


def test_nothing_can_be_read_in_the_file(tmp_path: Path) -> None:
    place = Spot(tmp_path / "data")
    fill(place)
    place.command("backup", tmp_path / "file")
    content = (tmp_path / "file").read_bytes()
    stored = all_rows(place)
    pieces = [
        value if isinstance(value, bytes) else value.encode()
        for name, rows in stored.items()
        for row in rows
        for value in row
        if isinstance(value, bytes | str) and len(value) > 7
    ]
    assert len(pieces) > 100
    assert [piece for piece in pieces if piece in content] == []
    # Not even what was sealed already, by which one could tell who is in it.
    assert b"person" not in content


def test_another_master_key_restores_nothing(tmp_path: Path) -> None:
    source, target = Spot(tmp_path / "source"), Spot(tmp_path / "target")
    fill(source)
    source.command("backup", tmp_path / "file")
    said = target.command("restore", tmp_path / "file", status=2)
    assert said == "error: the master key cannot be read from 'master.key'\n"
    other = Spot(tmp_path / "other")
    fill(other, 2)
    give_master_key(other, target)
    for more in ([], ["--check"]):
        said = target.command("restore", tmp_path / "file", *more, status=2)
        assert said.startswith("error: it was made under another master key")
        assert said.count("\n") == 1
    assert [path.name for path in target.data_dir.iterdir()] == ["master.key"]


def test_one_master_key_opens_it_though_some_keys_are_under_an_older(tmp_path: Path) -> None:
    """As when rotation stopped in the middle, or waits for its second half."""
    place = Spot(tmp_path / "data")
    fill(place)
    path = place.data_dir / "master.key"
    old = path.read_text()
    place.command("backup", tmp_path / "under the old")
    new = place.command("keys", "new-master")
    path.write_text(new + old)
    place.command("backup", tmp_path / "under the new")
    target = Spot(tmp_path / "target")
    target.data_dir.mkdir()
    (target.data_dir / "master.key").write_text(new)
    said = target.command("restore", tmp_path / "under the old", status=2)
    assert "another master key" in said
    target.command("restore", tmp_path / "under the new")
    assert len(all_rows(target)["identities"]) == 6
    with closing(target.opened()) as found:
        assert len(found.store.references("person 1")) == 2
    # The old file needs the old key; both may be given.
    third = Spot(tmp_path / "third")
    third.data_dir.mkdir()
    (third.data_dir / "master.key").write_text(new + old)
    third.command("restore", tmp_path / "under the old")
    third.command("keys", "rotate")
    assert (third.data_dir / "master.key").read_text() == new
    with closing(third.opened()) as found:
        assert len(found.store.references("person 1")) == 2


@pytest.mark.parametrize("what", ["an identity", "a key"])
def test_a_place_that_is_not_empty_is_left_as_it_is(tmp_path: Path, what: str) -> None:
    source, target = Spot(tmp_path / "source"), Spot(tmp_path / "target")
    fill(source)
    source.command("backup", tmp_path / "file")
    give_master_key(source, target)
    if what == "a key":
        target.command("keys", "create", "--scope", "verify")
    else:
        with closing(target.opened()) as found:
            found.store.enrol("ann", [new_reference("1")], limit=5)
    before = all_rows(target)
    said = target.command("restore", tmp_path / "file", status=2)
    assert ("API keys" if what == "a key" else "identities") in said
    assert all_rows(target) == before


def test_an_audit_log_that_is_there_is_neither_lost_nor_mixed(tmp_path: Path) -> None:
    source, target = Spot(tmp_path / "source"), Spot(tmp_path / "target")
    fill(source)
    source.command("backup", tmp_path / "file")
    give_master_key(source, target)
    with closing(target.opened()) as found:
        found.audit.record(AuditEntry("list", "ok", "default"), durable=True)
    before = all_rows(target)
    assert len(before["audit_log"]) == 1
    said = target.command("restore", tmp_path / "file", status=2)
    assert "an audit log already" in said
    assert all_rows(target) == before


def test_a_place_that_lost_its_faces_alone_keeps_its_longer_log(tmp_path: Path) -> None:
    place = Spot(tmp_path / "data")
    fill(place)
    place.command("backup", tmp_path / "file")
    expected = ["enroll"] * 5 + ["backup"]
    assert [row[4] for row in all_rows(place)["audit_log"]] == expected
    # The second time as after a restore that was killed before its last commit.
    for more in (["erase"], []):
        if more:
            place.command("erase", "person 0")
        for path in place.data_dir.glob("semblance.sqlite3*"):
            path.unlink()
        assert is_empty(place)
        said = place.command("restore", tmp_path / "file")
        assert "as it was written" in place.command("audit", "verify")
        expected += [*more, "restore"]
        assert [row[4] for row in all_rows(place)["audit_log"]] == expected
        assert len(all_rows(place)["identities"]) == 6
    # Who was erased since is there again, and can be told.
    (since,) = re.findall(r"audit export --since (\S+)`", said)
    rows = [
        json.loads(line) for line in place.command("audit", "export", "--since", since).splitlines()
    ]
    assert [row["identity"] for row in rows if row["action"] == "erase"] == ["person 0"]


def test_a_log_that_was_pruned_comes_back_pruned(tmp_path: Path) -> None:
    source, target = Spot(tmp_path / "source"), Spot(tmp_path / "target")
    fill(source)
    source.command("audit", "prune", "--before", "2999-01-01")
    source.command("backup", tmp_path / "file")
    give_master_key(source, target)
    target.command("restore", tmp_path / "file")
    said = target.command("audit", "verify")
    assert "3 rows, after 5 that were pruned" in said


def test_a_file_is_put_over_no_other(tmp_path: Path) -> None:
    place = Spot(tmp_path / "data")
    fill(place, 2)
    (tmp_path / "file").write_text("precious")
    (tmp_path / "link").symlink_to("nowhere")
    for name in ("file", "link"):
        assert "is there already" in place.command("backup", tmp_path / name, status=2)
    assert (tmp_path / "file").read_text() == "precious"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "file", "link"]
    assert "No such file" in place.command("backup", tmp_path / "no" / "file", status=2)
    assert "no database" in Spot(tmp_path / "none").command("backup", tmp_path / "x", status=2)
