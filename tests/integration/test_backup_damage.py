"""A file that is not as it was written restores nothing; damage in the store is told."""

from __future__ import annotations

import random
import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from service.commands.backup_file import opened_backup, write_backup
from service.commands.whole_file import whole_file
from service.core.audit import AuditEntry
from service.core.secrecy import DataKey, MasterKeyError
from service.opening import Opened, master_keys, opened
from service.security.sealed_file import MAGIC, SealedFileError
from service.security.vault import AesVault
from service.settings import Settings
from service.storage.audit_place import make_audit_tables
from service.storage.migrations import HEAD
from service.storage.tables import identities
from service.storage.transfer.batches import Batch, TransferError
from service.storage.transfer.checking import Checker
from service.storage.transfer.moments import moment
from service.storage.transfer.moving import Sums, move
from service.storage.transfer.reading import Reading
from tests.integration.audit_samples import outsider
from tests.integration.transfer_samples import Spot, all_rows, fill, is_empty


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a backup, and the key that opens it."""
    folder = tmp_path_factory.mktemp("made")
    place = Spot(folder / "data")
    fill(place)
    place.command("backup", folder / "file")
    return folder


@pytest.fixture
def target(made: Path, tmp_path: Path) -> Spot:
    place = Spot(tmp_path / "target")
    place.data_dir.mkdir()
    (place.data_dir / "master.key").write_bytes((made / "data" / "master.key").read_bytes())
    return place


def read_all(made: Path, content: bytes, folder: Path) -> list[Batch]:
    path = folder / "changed"
    path.write_bytes(content)
    masters = master_keys(Settings.model_validate({"data_dir": made / "data"}), make=False)
    with opened_backup(path, masters) as backup:
        return list(backup)


def accepting(found: Opened) -> Callable[[Sums], tuple[DataKey, AuditEntry]]:
    return lambda _: (found.audit_key, AuditEntry("restore", "ok", "default"))


def frames_of(content: bytes) -> tuple[bytes, list[bytes]]:
    (length,) = struct.unpack_from(">I", content, len(MAGIC))
    at = start = len(MAGIC) + 4 + length
    parts = []
    while at < len(content):
        (size,) = struct.unpack_from(">I", content, at + 1)
        parts.append(content[at : at + 5 + size])
        at += 5 + size
    return content[:start], parts


def test_a_byte_changed_anywhere_is_found(made: Path, tmp_path: Path) -> None:
    content = (made / "file").read_bytes()
    assert read_all(made, content, tmp_path)
    start, _ = frames_of(content)
    draw = random.Random(20260131)
    places = [*range(0, len(start) + 10, 7), *draw.sample(range(len(content)), 100)]
    for at in (*places, len(content) - 1):
        changed = bytearray(content)
        changed[at] ^= 1 << draw.randrange(8)
        with pytest.raises((SealedFileError, MasterKeyError, TransferError)):
            read_all(made, bytes(changed), tmp_path)


def test_what_is_not_whole_writes_nothing(made: Path, target: Spot, tmp_path: Path) -> None:
    content = (made / "file").read_bytes()
    start, parts = frames_of(content)
    swapped = [*parts[:3], parts[4], parts[3], *parts[5:]]
    flipped = bytearray(content)
    flipped[len(content) // 2] ^= 1
    for number, (changed, says) in enumerate(
        (
            (start + b"".join(swapped), "was changed"),
            (bytes(flipped), "was changed"),
            (content[:-1], "cut off"),
            (start + b"".join(parts[:-1]), "cut off"),
        )
    ):
        path = tmp_path / f"{number}"
        path.write_bytes(changed)
        assert says in target.command("restore", path, status=2)
    assert "no backup" in target.command("restore", made / "data" / "master.key", status=2)
    assert [path.name for path in target.data_dir.iterdir()] == ["master.key"]


def test_a_backup_of_another_schema_is_refused(made: Path, target: Spot, tmp_path: Path) -> None:
    content = (made / "file").read_bytes()
    for schema, says in (("9999", "with that version\n"), ("0003", "which migrates\n")):
        path = tmp_path / schema
        path.write_bytes(
            content.replace(f'"schema": "{HEAD}"'.encode(), f'"schema": "{schema}"'.encode())
        )
        said = target.command("restore", path, status=2)
        assert f"it is of schema {schema}" in said
        assert said.endswith(says)
    assert not (target.data_dir / "semblance.sqlite3").exists()


@pytest.fixture
def damaged(tmp_path: Path) -> Spot:
    place = Spot(tmp_path / "damaged")
    fill(place)
    return place


FAULTS = {
    "UPDATE face_references SET embedding = x'0102' WHERE id = 3": "embedding",
    "UPDATE reference_images SET data = x'0102' WHERE id = 2": "picture",
    "UPDATE identities SET details = x'01' WHERE id = 2": "identity 'default/person 1'",
    "UPDATE face_references SET content_hash = 'x' WHERE id = 1": "the hash of its picture",
    "UPDATE identities SET name = 'default/eve' WHERE id = 1": "identity 'default/eve'",
}


@pytest.mark.parametrize("statement", FAULTS)
def test_damage_in_the_store_is_told(damaged: Spot, statement: str) -> None:
    assert faults_of(damaged) == []
    with closing(sqlite3.connect(damaged.data_dir / "semblance.sqlite3")) as database:
        database.execute(statement)
        database.commit()
    faults = faults_of(damaged)
    assert faults
    assert all(FAULTS[statement] in fault for fault in faults)


def faults_of(place: Spot) -> list[str]:
    with closing(place.opened()) as found:
        checker = Checker(AesVault(found.masters))
        with moment(found.store.databases) as parts:
            for batch in Reading(parts):
                checker.see(batch)
        checker.end()
    return checker.faults


def test_what_was_damaged_before_is_restored_when_asked_for(damaged: Spot, tmp_path: Path) -> None:
    with closing(sqlite3.connect(damaged.data_dir / "semblance.sqlite3")) as database:
        database.execute("UPDATE reference_images SET data = x'0102' WHERE id = 2")
        database.commit()
    with outsider(damaged.data_dir / "audit.sqlite3") as database:
        database.execute("UPDATE audit_log SET outcome = 'no' WHERE number = 2")
    file = tmp_path / "file"
    assert "row 2 of the audit log was changed" in damaged.command("backup", file, status=1)
    assert "picture" in damaged.command("restore", file, "--check", status=1)
    rows = all_rows(damaged)
    for path in damaged.data_dir.glob("*.sqlite3"):
        path.unlink()
    said = damaged.command("restore", file, status=1)
    assert "nothing was restored" in said
    assert not (damaged.data_dir / "semblance.sqlite3").exists()
    damaged.command("restore", file, "--despite-faults")
    assert all_rows(damaged)["reference_images"] == rows["reference_images"]
    assert "row 2: changed" in damaged.command("audit", "verify", status=1)


def test_an_identity_whose_key_is_lost_is_left_out_and_told(damaged: Spot, tmp_path: Path) -> None:
    with closing(sqlite3.connect(damaged.data_dir / "keys.sqlite3")) as database:
        database.execute("DELETE FROM data_keys WHERE rowid = 1")
        database.commit()
    said = damaged.command("backup", tmp_path / "file", status=1)
    assert "left out: the key of stored data is gone" in said
    for path in damaged.data_dir.glob("*.sqlite3"):
        path.unlink()
    damaged.command("restore", tmp_path / "file")
    assert len(all_rows(damaged)["identities"]) == 5


def test_who_is_erased_while_it_is_read_is_left_out(damaged: Spot, tmp_path: Path) -> None:
    file = tmp_path / "file"
    with closing(opened(Settings.model_validate({"data_dir": damaged.data_dir}))) as found:
        with moment(found.store.databases) as parts:
            reading = Reading(parts)
            # The faces are seen as they were before; the keys are not.
            found.store.delete_identity("person 0")
            found.store.enrol("person 0", [], limit=5)
            with whole_file(file) as writing:
                write_backup(writing, reading, found.masters)
        with opened_backup(file, found.masters) as backup:
            names = [row[1] for batch in backup if batch.table is identities for row in batch.rows]
        assert len(reading.keyless) == 1
    assert len(names) == 5
    assert "default/person 0" not in names


def test_what_reads_back_otherwise_is_not_committed(made: Path, target: Spot) -> None:
    """A trigger of somebody else's in the new place changes what is written."""
    with closing(target.opened()) as found:
        databases = found.store.databases
        make_audit_tables(databases.audit)
        with databases.faces.begin() as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER odd AFTER INSERT ON api_keys BEGIN "
                "UPDATE api_keys SET name = 'odd' WHERE id = NEW.id; END"
            )
        with (
            opened_backup(made / "file", found.masters) as backup,
            pytest.raises(TransferError, match="otherwise in api_keys"),
        ):
            move(backup, databases, accepting(found))
    assert is_empty(target)


def test_a_file_that_is_changed_between_looking_and_writing(made: Path, target: Spot) -> None:
    content = bytearray((made / "file").read_bytes())
    path = target.data_dir / "file"
    path.write_bytes(content)
    with closing(target.opened()) as found, opened_backup(path, found.masters) as backup:
        assert list(backup)
        content[-20] ^= 1
        path.write_bytes(content)
        with pytest.raises(SealedFileError):
            move(backup, found.store.databases, accepting(found))
    assert is_empty(target)
