"""What only the store in an SQLite file does: its files, its schema, its failures."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from service.core.errors import NotReady, Overloaded, StorageFull, UnknownIdentity
from service.core.ports import NewReference
from service.storage import engines, erasure
from service.storage.migrations import migrate
from service.storage.sql_store import SqlStore, open_store
from service.storage.tables import metadata
from tests.integration.store_children import open_and_enrol, process_context, start
from tests.integration.store_samples import new_reference

FILE = "semblance.sqlite3"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "new" / "data"


@pytest.fixture
def store(data_dir: Path) -> Iterator[SqlStore]:
    with closing(open_store(data_dir)) as store:
        yield store


def bytes_of(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(folder.iterdir()))


def traces(identity: str, new: NewReference) -> list[bytes]:
    """Pieces of all that was told about a reference, short enough to lie on one page."""
    assert new.image is not None
    assert new.filename is not None
    wholes = [new.image, new.embedding.tobytes(), new.landmarks.tobytes()]
    pieces = [whole[at : at + 16] for whole in wholes for at in range(0, len(whole) - 15, 16)]
    return [*pieces, identity.encode(), new.filename.encode(), new.content_hash.encode()]


def share_found(pieces: list[bytes], folder: Path) -> float:
    """How many of the pieces are there; those across the end of a page never are."""
    stored = bytes_of(folder)
    return sum(piece in stored for piece in pieces) / len(pieces)


# Schema


def test_the_migrations_make_the_tables_that_the_code_knows(data_dir: Path) -> None:
    open_store(data_dir).close()
    engine = engines.sqlite_engine(data_dir / FILE)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "0001"
    engine.dispose()


def test_opening_again_changes_nothing(data_dir: Path) -> None:
    with closing(open_store(data_dir)) as store:
        (enrolled,) = store.enrol("ann", [new_reference("1")], limit=5)
    before = (data_dir / FILE).read_bytes()
    with closing(open_store(data_dir)) as store:
        assert store.references("ann")[0].reference_id == enrolled.reference.reference_id
    assert (data_dir / FILE).read_bytes() == before


def test_a_newer_database_is_refused_and_left_alone(data_dir: Path) -> None:
    open_store(data_dir).close()
    with closing(sqlite3.connect(data_dir / FILE)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    before = (data_dir / FILE).read_bytes()
    with pytest.raises(NotReady, match=r"schema 9999, which is newer .* knows \(0001\)"):
        open_store(data_dir)
    assert (data_dir / FILE).read_bytes() == before


def test_a_migration_that_fails_leaves_no_table(data_dir: Path) -> None:
    engines.make_sqlite_file(data_dir / FILE)
    engine = engines.sqlite_engine(data_dir / FILE)

    @event.listens_for(engine, "before_cursor_execute")
    def fail(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "CREATE TABLE reference_images" in statement:
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        migrate(engine)
    engine.dispose()
    with closing(sqlite3.connect(data_dir / FILE)) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)


# Files


def test_only_the_owner_may_read_the_files(data_dir: Path, store: SqlStore) -> None:
    store.enrol("ann", [new_reference("1")], limit=5)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in data_dir.iterdir()}
    assert modes == dict.fromkeys((FILE, f"{FILE}-wal", f"{FILE}-shm"), 0o600)
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    open_store(tmp_path).close()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750


def test_a_path_may_hold_any_character(tmp_path: Path) -> None:
    folder = tmp_path / "a b?mode=ro#%20é;"
    with closing(open_store(folder)) as store:
        store.enrol("ann", [new_reference("1")], limit=5)
    assert [path.name for path in folder.iterdir()] == [FILE]


@pytest.mark.parametrize("rebuilt", [True, False])
def test_nothing_of_a_deleted_identity_is_left_in_any_file(
    data_dir: Path, store: SqlStore, monkeypatch: pytest.MonkeyPatch, rebuilt: bool
) -> None:
    if not rebuilt:
        monkeypatch.setattr(erasure, "MAX_REBUILD_BYTES", 0)
    deleted, kept = "nobody-else 日本", "somebody-else 日本"
    gone = [new_reference(f"gone {n}", filename=f"gone-{n}.jpg") for n in range(4)]
    stays = [new_reference(f"stays {n}", filename=f"stays-{n}.jpg") for n in range(4)]
    for one, other in zip(gone, stays, strict=True):
        store.enrol(deleted, [one], limit=9)
        store.enrol(kept, [other], limit=9)
    first = store.references(deleted)[0]
    store.update_embedding(first.reference_id, new_reference("again").embedding, "model 2")
    expected = [piece for new in gone for piece in traces(deleted, new)]
    expected += [first.reference_id.encode(), new_reference("again").embedding.tobytes()[:16]]

    assert share_found(expected, data_dir) > 0.98
    assert store.delete_identity(deleted) == 4
    assert share_found(expected, data_dir) == 0
    assert share_found([piece for new in stays for piece in traces(kept, new)], data_dir) > 0.98


def test_nothing_of_a_deleted_reference_is_left_in_any_file(
    data_dir: Path, store: SqlStore
) -> None:
    gone, stays = (new_reference(tag, filename=f"{tag}.jpg") for tag in ("gone", "stays"))
    ids = [
        one.reference.reference_id for one in store.enrol("somebody-else", [gone, stays], limit=9)
    ]
    store.delete_reference("somebody-else", ids[0])
    expected = {*traces("somebody-else", gone), ids[0].encode()} - {b"somebody-else"}
    assert share_found([*expected], data_dir) == 0
    assert share_found(traces("somebody-else", stays), data_dir) > 0.98
    store.delete_reference("somebody-else", ids[1])
    assert share_found(traces("somebody-else", stays), data_dir) == 0


def test_pieces_that_sqlite_mislays_between_pages_are_erased_too(
    data_dir: Path, store: SqlStore
) -> None:
    # Enough rows, of changing sizes, that some are moved between pages. Without
    # building the file anew this seed leaves pieces of deleted pictures behind.
    sizes = np.random.default_rng(9).choice([10, 300, 1000, 5000], (60, 3))
    given = {
        f"identity-{n}-": [
            new_reference(f"{n} {i}", image_bytes=int(size), filename=f"{n}-{i}-" * 6)
            for i, size in enumerate(row)
        ]
        for n, row in enumerate(sizes)
    }
    for name, references in given.items():
        store.enrol(name, references, limit=9)
    for name in [*given][::2]:
        store.delete_identity(name)
    deleted = [
        piece for name in [*given][::2] for new in given[name] for piece in traces(name, new)
    ]
    assert share_found(deleted, data_dir) == 0


def test_what_a_killed_process_did_not_get_to_erase_the_next_start_does(
    data_dir: Path, store: SqlStore, tmp_path: Path
) -> None:
    new = new_reference("1", filename="1.jpg")
    store.enrol("nobody-else", [new], limit=5)
    store.enrol("somebody-else", [new_reference("2")], limit=5)
    # A second use of the files keeps the log from being moved when this one ends.
    with closing(sqlite3.connect(data_dir / FILE)) as other:
        other.execute("PRAGMA foreign_keys = ON")
        other.execute("PRAGMA secure_delete = ON")
        other.execute("DELETE FROM identities WHERE name = 'nobody-else'")
        other.commit()
        shutil.copytree(data_dir, tmp_path / "killed")
    assert share_found(traces("nobody-else", new), tmp_path / "killed") > 0.98
    with closing(open_store(tmp_path / "killed")):
        assert share_found(traces("nobody-else", new), tmp_path / "killed") == 0


def test_a_deletion_stands_though_a_reader_keeps_its_traces(
    data_dir: Path,
    store: SqlStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(erasure, "BUSY_TIMEOUT_S", 0.1)
    event.listen(store._engine, "connect", lambda c, _: c.execute("PRAGMA busy_timeout = 50"))
    store._engine.dispose()
    for tag in "12":
        store.enrol(f"identity {tag}", [new_reference(tag, filename="x.jpg")], limit=5)
    with closing(sqlite3.connect(data_dir / FILE, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM identities").fetchall()
        with caplog.at_level(logging.WARNING):
            assert store.delete_identity("identity 1") == 1
        assert "a reader does not end" in caplog.text
        with pytest.raises(UnknownIdentity):
            store.summary("identity 1")
    store.delete_identity("identity 2")
    assert b"identity" not in bytes_of(data_dir).replace(b"identity_id", b"")


# Several processes


def test_processes_that_open_a_new_folder_at_once(data_dir: Path) -> None:
    workers, turns = 4, 5
    ready = process_context().Barrier(workers)
    children = [start(open_and_enrol, data_dir, worker, turns, ready) for worker in range(workers)]
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0] * workers
    with closing(open_store(data_dir)) as store:
        # Each worker's own, and one of each turn that all of them gave.
        assert store.summary("shared").references == workers * turns + turns


def test_a_database_that_another_keeps_locked(data_dir: Path, store: SqlStore) -> None:
    event.listen(store._engine, "connect", lambda c, _: c.execute("PRAGMA busy_timeout = 50"))
    store._engine.dispose()
    with closing(sqlite3.connect(data_dir / FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Overloaded):
            store.enrol("ann", [new_reference("1")], limit=5)
        assert store.identities(None, 5) == []  # reading goes on
        store.check()
        other.execute("ROLLBACK")
    store.enrol("ann", [new_reference("1")], limit=5)


# Failures


def test_a_full_disk_leaves_nothing_half_written(data_dir: Path) -> None:
    with closing(open_store(data_dir)) as store:
        store.enrol("ann", [new_reference("1")], limit=99)
    engine = engines.sqlite_engine(data_dir / FILE)
    pages = (data_dir / FILE).stat().st_size // 4096 + 20

    @event.listens_for(engine, "connect")
    def bound(connection: sqlite3.Connection, _entry: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    store = SqlStore(engine)
    with pytest.raises(StorageFull) as raised:
        store.enrol("ann", [new_reference(f"a {n}") for n in range(20)], limit=99)
    assert str(data_dir) not in str(raised.value)
    with pytest.raises(StorageFull):
        store.enrol("bob", [new_reference("big", image_bytes=200_000)], limit=99)
    assert [(one.identity, one.references) for one in store.identities(None, 9)] == [("ann", 1)]
    store.check()
    # It goes on as soon as there is room, and deleting makes room.
    store.enrol("ann", [new_reference("small", image_bytes=100)], limit=99)
    assert store.delete_identity("ann") == 2
    store.enrol("bob", [new_reference("b")], limit=99)
    store.close()
    with closing(sqlite3.connect(data_dir / FILE)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        images = connection.execute("SELECT count(*) FROM reference_images").fetchone()
    assert images == (1,)


def test_a_missing_database_fails_the_check_and_is_not_made_anew(
    data_dir: Path, store: SqlStore
) -> None:
    store.enrol("ann", [new_reference("1")], limit=5)
    for path in data_dir.iterdir():
        path.unlink()
    with pytest.raises(NotReady):
        store.check()
    assert list(data_dir.iterdir()) == []


def test_a_database_without_its_tables_fails_the_check(data_dir: Path, store: SqlStore) -> None:
    with closing(sqlite3.connect(data_dir / FILE)) as connection:
        connection.execute("DROP TABLE reference_images")
        connection.execute("DROP TABLE face_references")
    with pytest.raises(NotReady):
        store.check()


@pytest.mark.parametrize("damage", [b"no database at all, but text. " * 999, b"SQLite format 3\0"])
def test_a_damaged_file_is_not_opened_and_fails_the_check(
    data_dir: Path, store: SqlStore, damage: bytes
) -> None:
    store.enrol("ann", [new_reference("1")], limit=5)
    store.close()
    (data_dir / FILE).write_bytes(damage)
    with pytest.raises(NotReady) as raised:
        store.check()
    assert str(data_dir) not in str(raised.value)
    with pytest.raises(NotReady):
        open_store(data_dir)
    assert (data_dir / FILE).read_bytes() == damage


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        open_store(tmp_path / "file" / "data")


def test_an_error_of_the_database_holds_no_values(store: SqlStore) -> None:
    new = new_reference("1", filename="private.jpg")
    broken = NewReference(**{**vars(new), "fingerprint": None})
    with pytest.raises(IntegrityError) as raised:
        store.enrol("private name", [broken], limit=5)
    assert "private" not in str(raised.value)
    assert store.identities(None, 5) == []


def test_the_settings_of_a_connection(data_dir: Path, store: SqlStore) -> None:
    asked = "journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout"
    answers = [engines.run_bare(store._engine, f"PRAGMA {name}")[0] for name in asked]
    assert answers == ["wal", 2, 1, 1, 5000]
    assert os.path.getsize(data_dir / FILE) > 0
