"""What only the store in an SQLite file does: its files, its schema, its failures."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError

from model.errors import Overloaded
from service.core.errors import NotReady, StorageFull
from service.core.ports import NewReference
from service.storage import engines
from service.storage.data_keys import DataKeys
from service.storage.databases import Place, open_databases
from service.storage.migrations import HEAD, migrate
from service.storage.sql_store import SqlStore
from service.storage.tables import metadata
from tests.integration.store_children import open_and_enrol, process_context, start
from tests.integration.store_samples import new_reference
from tests.integration.vaults import VAULT, open_store

FILE = "semblance.sqlite3"
KEYS = "keys.sqlite3"
AUDIT = "audit.sqlite3"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "new" / "data"


@pytest.fixture
def store(data_dir: Path) -> Iterator[SqlStore]:
    with closing(open_store(data_dir)) as store:
        yield store


# Schema


def test_the_migrations_make_the_tables_that_the_code_knows(data_dir: Path) -> None:
    open_store(data_dir).close()
    engine = engines.sqlite_engine(data_dir / FILE)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == HEAD
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
    with pytest.raises(NotReady, match=rf"schema 9999, which is newer .* knows \({HEAD}\)"):
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
    files = [name + end for name in (FILE, KEYS) for end in ("", "-wal", "-shm")] + [AUDIT]
    assert modes == dict.fromkeys(files, 0o600)
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    open_store(tmp_path).close()
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750


def test_a_path_may_hold_any_character(tmp_path: Path) -> None:
    folder = tmp_path / "a b?mode=ro#%20é;"
    with closing(open_store(folder)) as store:
        store.enrol("ann", [new_reference("1")], limit=5)
    assert sorted(path.name for path in folder.iterdir()) == [AUDIT, KEYS, FILE]


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
    event.listen(store.engine, "connect", lambda c, _: c.execute("PRAGMA busy_timeout = 50"))
    store.engine.dispose()
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
    databases = open_databases(Place(data_dir))
    engine = databases.faces
    engine.dispose()
    pages = (data_dir / FILE).stat().st_size // 4096 + 20

    @event.listens_for(engine, "connect")
    def bound(connection: sqlite3.Connection, _entry: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    store = SqlStore(databases, DataKeys(databases.keys, VAULT))
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
    answers = [engines.run_bare(store.engine, f"PRAGMA {name}")[0] for name in asked]
    assert answers == ["wal", 2, 1, 1, 5000]
    assert os.path.getsize(data_dir / FILE) > 0
