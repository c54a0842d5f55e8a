"""What only the store in PostgreSQL does: its schema, its locks, its failures."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, event, text

from service.core.errors import NotReady, Overloaded, StorageFull, UnknownIdentity
from service.storage.databases import Place, open_databases
from service.storage.migrations import HEAD
from service.storage.migrations.upgrade import alembic_config
from service.storage.orphans import destroy_orphans
from service.storage.postgres import AddressError, postgres_engine, postgres_url
from service.storage.sql_store import SqlStore
from service.storage.tables import metadata
from tests.integration.store_children import (
    IMAGE_BYTES,
    enrol_and_delete,
    enrol_until_killed,
    open_and_enrol,
    process_context,
    start,
)
from tests.integration.store_samples import new_reference
from tests.integration.vaults import VAULT, open_store
from tests.postgres import Server, running_server

Cursor = psycopg.Cursor[object]
KILLS = 8
SEED = 20260101


@pytest.fixture
def address(postgres: Server) -> str:
    """Of a database of its own, without tables."""
    return postgres.new_database()


@pytest.fixture
def store(tmp_path: Path, address: str) -> Iterator[SqlStore]:
    with closing(open_store(tmp_path, address=address)) as store:
        yield store


def opened(tmp_path: Path, address: str) -> SqlStore:
    return open_store(tmp_path, address=address)


# Schema


def test_the_migrations_make_the_tables_that_the_code_knows(store: SqlStore) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        ours = {table.name for table in metadata.sorted_tables}
        differences = [one for one in compare_metadata(context, metadata) if _is_ours(one, ours)]
        assert differences == []
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == HEAD


def _is_ours(difference: object, ours: set[str]) -> bool:
    """Keys and the audit log have tables beside; they are removed in no migration."""
    kind, table = difference[0], difference[1]  # type: ignore[index]
    return not (kind == "remove_table" and table.name not in ours)


def test_row_numbers_go_on_beyond_32_bits(store: SqlStore) -> None:
    with store.engine.begin() as connection:
        for table in ("identities", "face_references"):
            connection.execute(text(f"ALTER SEQUENCE {table}_id_seq RESTART WITH 5000000000"))
    store.enrol("ann", [new_reference("1")], limit=5)
    page = store.embeddings("model 1", after=4_999_999_999, limit=1)
    assert page.position == 5_000_000_000
    assert store.image("ann", page.reference_ids[0]) is not None


def test_a_database_of_the_first_version_keeps_its_numbers(tmp_path: Path, address: str) -> None:
    engine = postgres_engine(address)
    with engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")
        connection.execute(
            text("INSERT INTO identities (name, created_at) VALUES ('default/ann', now())")
        )
    engine.dispose()
    with closing(opened(tmp_path, address)) as store:
        assert [one.identity for one in store.identities(None, 5)] == ["ann"]
        store.enrol("bob", [new_reference("1")], limit=5)


def test_a_newer_database_is_refused(tmp_path: Path, address: str) -> None:
    opened(tmp_path, address).close()
    with psycopg.connect(address) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(NotReady, match="newer"):
        opened(tmp_path, address)


def test_nothing_but_the_key_is_made_in_the_data_folder(tmp_path: Path, address: str) -> None:
    opened(tmp_path / "new", address).close()
    assert not (tmp_path / "new").exists()


# Addresses


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("mysql://u:SECRET@h/d", "is of 'mysql'"),
        ("sqlite:///file", "is of 'sqlite'"),
        ("postgresql://u:SECRET@h", "names no database"),
        ("SECRET", "is no address"),
        ("", "is no address"),
        ("postgresql://u:SECRET@h:port/d", "is no address"),
    ],
)
def test_an_address_that_cannot_be_used(given: str, said: str) -> None:
    with pytest.raises(AddressError, match=said) as raised:
        postgres_url(given)
    assert "SECRET" not in str(raised.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_addresses_as_others_write_them(tmp_path: Path, address: str, scheme: str) -> None:
    other = address.replace("postgresql", scheme) + "?sslmode=prefer&connect_timeout=2"
    with closing(opened(tmp_path, other)) as store:
        store.check()


def test_a_wrong_password_or_database_or_port_is_said_without_the_password(
    tmp_path: Path, address: str, postgres: Server
) -> None:
    for wrong in (
        address.replace("not%20a", "SECRET"),
        address + "x",
        address.replace(str(postgres.port), "1"),
    ):
        with pytest.raises(NotReady) as raised:
            opened(tmp_path, wrong)
        assert "SECRET" not in str(raised.value)


# Several processes


def test_processes_that_open_a_new_database_at_once(tmp_path: Path, address: str) -> None:
    workers, turns = 4, 5
    ready = process_context().Barrier(workers)
    children = [
        start(open_and_enrol, tmp_path, worker, turns, ready, address) for worker in range(workers)
    ]
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0] * workers
    with closing(opened(tmp_path, address)) as store:
        # Each worker's own, and one of each turn that all of them gave.
        assert store.summary("shared").references == workers * turns + turns
        assert store.data_keys.count() == 1


def test_processes_that_enrol_and_delete_the_same_identities(tmp_path: Path, address: str) -> None:
    opened(tmp_path, address).close()
    ready = process_context().Barrier(4)
    children = [
        start(enrol_and_delete, tmp_path, worker, 60, ready, address) for worker in range(4)
    ]
    for child in children:
        child.join(100)
    assert [child.exitcode for child in children] == [0] * 4
    with closing(opened(tmp_path, address)) as store:
        left = store.identities(None, 10)
        # Each has its references, its key opens them, and no other key is left.
        assert all(store.references(one.identity) for one in left)
        assert store.data_keys.count() == len(left)


def test_who_looks_for_keys_without_an_identity_waits_for_an_enrolment(store: SqlStore) -> None:
    store.enrol("bob", [new_reference("1")], limit=5)
    enrolled, go_on = threading.Event(), threading.Event()

    commits: list[str] = []

    @event.listens_for(store.engine, "commit")
    def before_commit(_connection: object) -> None:
        if threading.current_thread().name == "enrols":
            commits.append("of the key" if not commits else "of the row")
            if len(commits) == 2:
                enrolled.set()
                go_on.wait(10)

    worker = threading.Thread(
        target=store.enrol, args=("ann", [new_reference("2")]), kwargs={"limit": 5}, name="enrols"
    )
    worker.start()
    assert enrolled.wait(10)
    # Its key is there, its row is not yet.
    assert store.data_keys.count() == 2
    sweeper = threading.Thread(target=destroy_orphans, args=(store.engine, store.data_keys))
    sweeper.start()
    sweeper.join(0.5)
    assert sweeper.is_alive()
    go_on.set()
    worker.join(10)
    sweeper.join(10)
    assert len(store.references("ann")) == 1


def test_a_key_without_an_identity_goes_at_the_next_start(tmp_path: Path, address: str) -> None:
    with closing(opened(tmp_path, address)) as store:
        store.enrol("ann", [new_reference("1")], limit=5)
        store.data_keys.make("f" * 32)
    with closing(opened(tmp_path, address)) as store:
        assert store.data_keys.count() == 1
        assert len(store.references("ann")) == 1


def test_the_keys_may_be_in_a_database_of_their_own(tmp_path: Path, postgres: Server) -> None:
    faces, keys = postgres.new_database(), postgres.new_database()
    databases = open_databases(Place(tmp_path, faces, keys))
    with ExitStack() as stack:
        stack.callback(databases.close)
        from service.storage.open_store import open_store as open_place

        store = stack.enter_context(closing(open_place(Place(tmp_path, faces, keys), VAULT)))
        store.enrol("ann", [new_reference("1")], limit=5)
        assert count(databases.keys, "data_keys") == 1
        assert "data_keys" not in tables(databases.faces)
        assert "identities" not in tables(databases.keys)
        store.delete_identity("ann")
        assert count(databases.keys, "data_keys") == 0


def count(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def tables(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.scalars(text("SELECT tablename FROM pg_tables")))


# Failures


def test_an_identity_that_another_keeps_locked(store: SqlStore, address: str) -> None:
    store.enrol("ann", [new_reference("1")], limit=5)
    event.listen(store.engine, "begin", _wait_for_a_moment_only)
    with psycopg.connect(address) as other:
        other.execute("SELECT 1 FROM identities FOR UPDATE")
        with pytest.raises(Overloaded):
            store.enrol("ann", [new_reference("2")], limit=5)
        assert len(store.references("ann")) == 1  # reading goes on
        store.enrol("bob", [new_reference("1")], limit=5)  # and so do others
    store.enrol("ann", [new_reference("2")], limit=5)


def _wait_for_a_moment_only(connection: object) -> None:
    connection.exec_driver_sql("SET LOCAL lock_timeout = 100")  # type: ignore[attr-defined]


def test_a_standby_that_only_reads_says_not_ready(store: SqlStore, address: str) -> None:
    store.enrol("ann", [new_reference("1")], limit=5)
    name = address.rpartition("/")[2]
    with psycopg.connect(address, autocommit=True) as other:
        other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
    store.databases.close()
    with pytest.raises(NotReady):
        store.enrol("ann", [new_reference("2")], limit=5)
    assert store.revision("ann")
    assert len(store.references("ann")) == 1


def test_tables_that_are_gone_fail_the_check(store: SqlStore, address: str) -> None:
    with psycopg.connect(address) as other:
        other.execute("DROP TABLE reference_images, face_references")
    with pytest.raises(NotReady):
        store.check()


def test_a_server_that_restarts_is_found_again_and_one_that_is_gone_is_said_to_be(
    tmp_path: Path,
) -> None:
    with running_server() as server:
        address = server.new_database()
        with closing(opened(tmp_path, address)) as store:
            store.enrol("ann", [new_reference("1")], limit=5)
            revision = store.revision("ann")
            # Every connection in the pools is dead now, and nobody notices.
            server.stop()
            server.start()
            assert store.revision("ann") == revision
            assert store.standing("ann").failures == 0
            assert len(store.references("ann")) == 1
            server.kill()
            begun = time.monotonic()
            for ask in (store.revision, store.references, store.add_failure):
                with pytest.raises(NotReady):
                    ask("ann")
            with pytest.raises(NotReady):
                store.check()
            assert time.monotonic() - begun < 4
            server.start()
            assert store.revision("ann") == revision
            store.enrol("ann", [new_reference("2")], limit=5)
            store.check()


def test_a_server_that_is_killed_loses_nothing_it_has_answered(tmp_path: Path) -> None:
    """And processes that enrol are killed, too."""
    moments = random.Random(SEED)
    answered: list[tuple[str, str, list[str]]] = []
    with running_server() as server:
        address = server.new_database()
        opened(tmp_path, address).close()
        for turn in range(KILLS):
            ours, theirs = process_context().Pipe(duplex=False)
            with ours:
                child = start(enrol_until_killed, tmp_path, turn, theirs, address)
                theirs.close()
                # Opening takes longer than what is to be killed.
                assert ours.poll(60)
                end = time.monotonic() + moments.uniform(0, 0.3)
                with suppress(EOFError):
                    while ours.poll(max(0, end - time.monotonic())):
                        answered.append(ours.recv())
                        if time.monotonic() > end:
                            break
                if turn % 2:
                    server.kill()
                child.kill()
                with suppress(EOFError):
                    while True:
                        answered.append(ours.recv())
            child.join()
            assert child.exitcode == -signal.SIGKILL, "it ended by itself"
            if turn % 2:
                server.start()
        assert len(answered) > KILLS  # or it was too slow to show anything
        with closing(opened(tmp_path, address)) as store:
            for identity, filename, reference_ids in answered:
                stored = {one.reference_id: one for one in store.references(identity)}
                for reference_id in reference_ids:
                    assert stored[reference_id].filename == filename
                    image = store.image(identity, reference_id)
                    assert image is not None
                    assert len(image.data) == IMAGE_BYTES
            people = store.identities(None, 10**6)
            assert store.data_keys.count() == len(people)
            half = "SELECT count(*) FROM face_references LEFT JOIN reference_images USING (id)"
            assert count_where(store, f"{half} WHERE media_type IS NULL") == 0
            # A call has all of its images there, or none.
            for person in people:
                calls = [one.filename for one in store.references(person.identity)]
                for name in set(calls):
                    assert name is not None
                    assert calls.count(name) == int(name.rpartition("-")[2])


def count_where(store: SqlStore, statement: str) -> int:
    with store.engine.connect() as connection:
        return int(connection.execute(text(statement)).scalar_one())


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, store: SqlStore) -> None:
    """As the server says it; a real one is filled in the tests of faults."""
    store.enrol("ann", [new_reference("1")], limit=5)

    @event.listens_for(store.engine, "before_cursor_execute")
    def full(
        _connection: object, cursor: psycopg.Cursor[object], statement: str, *_: object
    ) -> None:
        if statement.startswith("INSERT INTO reference_images"):
            cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = '53100'; END $$")

    with pytest.raises(StorageFull):
        store.enrol("bob", [new_reference("2")], limit=5)
    with pytest.raises(UnknownIdentity):
        store.references("bob")
    assert [one.identity for one in store.identities(None, 5)] == ["ann"]
