"""The revision of an identity: another one with each change, whoever made it."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from alembic import command
from alembic.script import ScriptDirectory

from service.core.errors import NotReady, TooManyReferences, UnknownIdentity
from service.core.ports import Store
from service.storage.engines import WRITES, make_sqlite_file, sqlite_engine, use_write_ahead_log
from service.storage.migrations import HEAD
from service.storage.migrations.upgrade import alembic_config
from tests.integration.store_children import change, process_context
from tests.integration.store_samples import new_reference
from tests.integration.vaults import open_store

FILE = "semblance.sqlite3"


def enrol(store: Store, identity: str, tag: str) -> str:
    (enrolled,) = store.enrol(identity, [new_reference(tag)], limit=99)
    return enrolled.reference.reference_id


def test_each_change_of_the_references_makes_another_revision(any_store: Store) -> None:
    store = any_store
    seen = []
    first = enrol(store, "ann", "1")
    seen.append(store.revision("ann"))
    enrol(store, "ann", "2")
    seen.append(store.revision("ann"))
    store.update_embedding(first, np.zeros(4, np.float32), "model 2")
    seen.append(store.revision("ann"))
    store.delete_reference("ann", first)
    seen.append(store.revision("ann"))
    store.delete_identity("ann")
    enrol(store, "ann", "1")
    seen.append(store.revision("ann"))
    assert len(set(seen)) == len(seen)


def test_what_changes_nothing_leaves_the_revision(any_store: Store) -> None:
    store = any_store
    only = enrol(store, "ann", "1")
    before = store.revision("ann")
    assert store.enrol("ann", [new_reference("1")], limit=1)[0].duplicate
    with pytest.raises(TooManyReferences):
        store.enrol("ann", [new_reference("2")], limit=1)
    store.update_embedding("0" * 32, np.zeros(4, np.float32), "model 2")
    store.references("ann")
    store.image("ann", only)
    store.check()
    other = enrol(store, "bob", "1")
    store.update_embedding(other, np.zeros(4, np.float32), "model 2")
    store.delete_identity("bob")
    assert store.revision("ann") == before


def test_who_is_not_enrolled_has_none(any_store: Store) -> None:
    last = enrol(any_store, "Ann", "1")
    for name in ("ann", "Ann ", "Ann\0", ""):
        with pytest.raises(UnknownIdentity):
            any_store.revision(name)
    any_store.delete_reference("Ann", last)
    with pytest.raises(UnknownIdentity):
        any_store.revision("Ann")


def test_equal_revisions_mean_equal_references_while_eight_threads_change_them(
    any_store: Store,
) -> None:
    """Revisions read before and after the references: if they are one, so is the state."""
    store = any_store
    enrol(store, "ann", "first")

    def work(worker: int) -> list[tuple[int, tuple[str, ...]]]:
        seen = []
        mine: str | None = None
        for turn in range(12):
            # The one before goes only now, so that no state ever comes back.
            last, mine = mine, enrol(store, "ann", f"{worker} {turn}")
            if last is not None:
                store.delete_reference("ann", last)
            before = store.revision("ann")
            ids = tuple(one.reference_id for one in store.references("ann"))
            if store.revision("ann") == before:
                seen.append((before, ids))
        return seen

    with ThreadPoolExecutor(8) as pool:
        seen = [pair for pairs in pool.map(work, range(8)) for pair in pairs]
    seen.append((store.revision("ann"), tuple(one.reference_id for one in store.references("ann"))))
    states = dict(seen)
    assert all(states[revision] == ids for revision, ids in seen)
    assert len(set(states.values())) == len(states)


@pytest.mark.parametrize("what", ["enrol", "embedding", "reference", "identity", "again"])
def test_a_change_by_another_process_is_seen_at_once(tmp_path: Path, what: str) -> None:
    with closing(open_store(tmp_path)) as store:
        enrol(store, "ann", "1")
        enrol(store, "ann", "2")
        before = store.revision("ann")
        child = process_context().Process(target=change, args=(tmp_path, "ann", what))
        child.start()
        child.join(60)
        assert child.exitcode == 0
        if what == "identity":
            with pytest.raises(UnknownIdentity):
                store.revision("ann")
        else:
            assert store.revision("ann") != before


def test_a_database_of_the_version_before_keeps_all_it_has(tmp_path: Path) -> None:
    engine = _database_at(tmp_path, "0001")
    with closing(sqlite3.connect(engine)) as connection, connection:
        connection.executescript(
            """
            INSERT INTO identities VALUES (7, 'ann', '2026-01-01 00:00:00'),
                                          (8, 'bob', '2026-01-02 00:00:00');
            INSERT INTO face_references VALUES
                (3, 'aa', 7, 'h1', x'0000803f', 'model 1', zeroblob(40), 0.5, 'a.jpg',
                 '2026-01-01 00:00:00'),
                (4, 'bb', 8, 'h1', x'00000040', 'model 1', zeroblob(40), 0.5, NULL,
                 '2026-01-02 00:00:00');
            INSERT INTO reference_images VALUES (3, 'image/jpeg', x'ff');
            """
        )
    with closing(open_store(tmp_path)) as store:
        assert [one.identity for one in store.identities(None, 9)] == ["ann", "bob"]
        (reference,) = store.references("ann")
        assert (reference.reference_id, reference.embedding.tolist()) == ("aa", [1.0])
        image = store.image("ann", "aa")
        assert image is not None
        assert image.data == b"\xff"
        assert store.revision("ann") == store.revision("bob") == 0
        enrol(store, "ann", "1")
        store.delete_identity("bob")
        enrol(store, "bob", "1")
        assert 0 not in {store.revision("ann"), store.revision("bob")}


def test_a_locked_database_is_still_read_and_a_broken_one_is_said_to_be(tmp_path: Path) -> None:
    with closing(open_store(tmp_path)) as store:
        enrol(store, "ann", "1")
        with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            assert store.revision("ann")
            other.execute("ROLLBACK")
        for path in tmp_path.iterdir():
            path.write_bytes(b"no database at all, but text. " * 999)
        store.engine.dispose()
        with pytest.raises(NotReady):
            store.revision("ann")


def _database_at(folder: Path, revision: str) -> Path:
    """An SQLite file as an older version of the service left it."""
    path = folder / FILE
    make_sqlite_file(path)
    engine = sqlite_engine(path)
    use_write_ahead_log(engine)
    with engine.execution_options(**WRITES).begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()
    return path


def test_the_newest_revision_is_the_one_that_a_start_looks_for() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [HEAD]
