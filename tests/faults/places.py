"""Where a service under test stores, and what can be seen of it from outside."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.integration.commands import service_command
from tests.postgres import Server
from tests.running import Around, Service, service_within

DATABASE, KEYS, AUDIT = "semblance.sqlite3", "keys.sqlite3", "audit.sqlite3"


@dataclass(frozen=True)
class Place:
    """A data folder, and SQLite's files in it.

    Attributes:
        settings: What a service is told, besides the folder.
    """

    data_dir: Path
    settings: dict[str, object] = field(default_factory=dict)

    @contextmanager
    def service(self, around: Around | None = None, **more: object) -> Iterator[Service]:
        """A service that asks for keys, and keeps an audit log, as an operator's does."""
        chosen = {"insecure": False, **self.settings, **more}
        with service_within(around or Around(), self.data_dir, **chosen) as service:
            yield service

    def command(self, *arguments: str, status: int = 0, **more: object) -> str:
        """What a command of the service prints."""
        done = service_command(
            self.data_dir, *arguments, status=status, **{**self.settings, **more}
        )
        return done.stdout + done.stderr

    def asked(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """Rows that the database answers to another program."""
        return self._run(DATABASE, statement, values)

    def asked_of_keys(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """The same of the database of keys."""
        return self._run(KEYS, statement, values)

    def _run(
        self, name: str, statement: str, values: tuple[object, ...]
    ) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.data_dir / name, timeout=30)) as connection:
            found = connection.execute(statement, values).fetchall()
            connection.commit()
            return found

    @contextmanager
    def locked(self, name: str = DATABASE) -> Iterator[None]:
        """A while in which another program lets nobody write."""
        with closing(sqlite3.connect(self.data_dir / name, timeout=30)) as connection:
            connection.isolation_level = None
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("ROLLBACK")

    @contextmanager
    def gone(self) -> Iterator[None]:
        """A while in which the database cannot be reached; then it is there as it was."""
        away = self.data_dir / "away"
        away.mkdir()
        # The database itself goes first and comes last: without it nobody makes the others.
        names = [DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm"]
        moved = []
        for name in names:
            if (self.data_dir / name).exists():
                moved.append((self.data_dir / name).rename(away / name))
        try:
            yield
        finally:
            assert not (self.data_dir / DATABASE).exists(), "a new one was made in its place"
            for path in reversed(moved):
                path.rename(self.data_dir / path.name)
            away.rmdir()

    def power_cut(self) -> None:
        """What is beside the service when it is killed ends as abruptly."""

    def assert_whole(self) -> None:
        """Nothing is half there. To be called while no service runs; changes no file."""
        copy = self.data_dir.with_name(f"{self.data_dir.name}-copy")
        without = shutil.ignore_patterns("compiled")
        shutil.copytree(self.data_dir, copy, ignore=without)
        try:
            seen = Place(copy, self.settings)
            for name in (DATABASE, KEYS, AUDIT):
                assert seen._run(name, "PRAGMA integrity_check", ()) == [("ok",)], name
            assert seen.asked("PRAGMA foreign_key_check") == []
            seen.assert_rows_fit()
        finally:
            shutil.rmtree(copy)

    def assert_rows_fit(self) -> None:
        """Every reference has its picture and an owner, every identity a reference and a key."""
        for statement in _MUST_BE_NONE:
            assert self.asked(statement) == [(0,)], statement
        owned = {row[0] for row in self.asked("SELECT data_key FROM identities")}
        kept = {row[0] for row in self.asked_of_keys("SELECT key_id FROM data_keys")}
        # A key of nobody may be left over, until the next start.
        assert owned <= kept


_MUST_BE_NONE = (
    """SELECT count(*) FROM face_references
       WHERE id NOT IN (SELECT id FROM reference_images WHERE length(data) > 0)""",
    "SELECT count(*) FROM reference_images WHERE id NOT IN (SELECT id FROM face_references)",
    """SELECT count(*) FROM face_references
       WHERE identity_id NOT IN (SELECT id FROM identities)""",
    """SELECT count(*) FROM identities
       WHERE id NOT IN (SELECT identity_id FROM face_references)""",
)


@dataclass(frozen=True)
class PostgresPlace(Place):
    """A data folder, and a PostgreSQL of its own."""

    server: Server | None = None

    @property
    def _server(self) -> Server:
        assert self.server is not None
        return self.server

    @property
    def _database(self) -> str:
        return str(self.settings["database"]).rpartition("/")[2]

    def _run(
        self, name: str, statement: str, values: tuple[object, ...]
    ) -> list[tuple[object, ...]]:
        asked = statement.replace("?", "%s")
        with psycopg.connect(self._server.address(self._database)) as connection:
            cursor = connection.execute(asked.encode(), values)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def locked(self, name: str = DATABASE) -> Iterator[None]:
        with psycopg.connect(self._server.address(self._database)) as connection:
            connection.execute(f"LOCK TABLE {_TABLES[name]} IN EXCLUSIVE MODE".encode())
            yield

    @contextmanager
    def gone(self) -> Iterator[None]:
        self._server.kill()
        yield
        self._server.start()

    def power_cut(self) -> None:
        self._server.kill()
        self._server.start()

    def assert_whole(self) -> None:
        self.assert_rows_fit()


_TABLES = {
    DATABASE: "identities, face_references, reference_images, api_keys, key_usage",
    KEYS: "data_keys, service_keys",
    AUDIT: "audit_log, audit_head",
}
