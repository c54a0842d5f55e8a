"""A place with something of everything that is stored, and all rows of a place."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, Table, select

from service.commands.main import run
from service.core.audit import AuditEntry
from service.core.ports import About
from service.opening import Opened, opened
from service.security.api_keys import new_key
from service.settings import Settings
from service.storage import data_keys
from service.storage.audit_tables import audit_metadata
from service.storage.tables import metadata
from tests.integration.commands import within
from tests.integration.store_samples import new_reference
from tests.postgres import Server
from tests.running import ROOT, environment_of

IMAGE_BYTES = 3000
AUDIT = ("audit_log", "audit_head")
Rows = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Spot:
    """A place as settings name it; SQLite's files are in the folder, unless an address is given."""

    data_dir: Path
    database: str | None = None
    keys_database: str | None = None

    @property
    def addresses(self) -> dict[str, str]:
        given = {"database": self.database, "keys_database": self.keys_database}
        return {name: address for name, address in given.items() if address is not None}

    def opened(self) -> Opened:
        return opened(
            Settings.model_validate({"data_dir": self.data_dir, **self.addresses}),
        )

    def command(self, *arguments: object, status: int = 0) -> str:
        """What a command printed on this place, errors too; its exit status must be `status`.

        Run in this process: another one takes seconds to begin.
        """
        said = StringIO()
        with within(self.environment), redirect_stdout(said), redirect_stderr(said):
            assert run([str(one) for one in arguments]) == status, said.getvalue()
        return said.getvalue()

    def process(self, *arguments: object) -> subprocess.Popen[str]:
        """The same in a process of its own, just begun."""
        return subprocess.Popen(
            [sys.executable, "-m", "service", *(str(one) for one in arguments)],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def environment(self) -> dict[str, str]:
        return environment_of({"data_dir": self.data_dir, **self.addresses})


def spot(kind: str, folder: Path, server: Server | None = None) -> Spot:
    """An empty place: "sqlite", "postgres", or "apart": PostgreSQL with keys of their own."""
    if kind == "sqlite":
        return Spot(folder)
    assert server is not None
    return Spot(folder, server.new_database(), server.new_database() if kind == "apart" else None)


def give_master_key(source: Spot, target: Spot) -> None:
    if source.data_dir != target.data_dir:
        target.data_dir.mkdir(mode=0o700, exist_ok=True)
        shutil.copy(source.data_dir / "master.key", target.data_dir)


def fill(place: Spot, identities: int = 5) -> dict[str, str]:
    """Enrols some; answers the texts of API keys by what they are called."""
    texts = {}
    now = datetime.now(UTC)
    with closing(place.opened()) as found:
        store = found.store
        for number in range(identities):
            within = store.within("shop" if number % 3 == 2 else "default")
            said = About("paper 12", {"badge": "é 4711"}) if number % 2 else None
            tags = [f"{number} {turn}" for turn in range(number % 3 + 1)]
            within.enrol(
                f"person {number}",
                [new_reference(tag, image_bytes=IMAGE_BYTES, filename=tag) for tag in tags],
                limit=9,
                about=said,
            )
            found.audit.record(
                AuditEntry("enroll", "ok", within._collection, subject=f"person {number}"),
                durable=False,
            )
        store.enrol("without a picture", [new_reference("none", image_bytes=None)], limit=5)
        # So that numbers have gaps, and go further than there are rows.
        store.enrol("gone", [new_reference("gone")], limit=5)
        store.delete_identity("gone")
        store.note_use("person 0")
        for _ in range(3):
            store.add_failure("person 1")
        for name, expires_at in (("good", None), ("old", now - timedelta(days=1)), ("out", None)):
            texts[name], key = new_key(
                found.pepper,
                name=name,
                scopes=frozenset({"verify", "enroll"}),
                collection="shop",
                expires_at=expires_at,
                quota_per_day=77,
            )
            store.keys.add_key(key)
            for day in ("2026-01-02", "2026-01-01"):
                store.keys.count_requests(key.key_id, day, 5)
            if name == "out":
                store.keys.revoke_key(key.key_id, now)
    return texts


def all_rows(place: Spot) -> Rows:
    """Every row of every table, read without the code that moves them."""
    with closing(place.opened()) as found:
        databases = found.store.databases
        parts: tuple[tuple[MetaData, Any], ...] = (
            (metadata, databases.faces),
            (data_keys.metadata, databases.keys),
            (audit_metadata, databases.audit),
        )
        rows: Rows = {}
        for tables, engine in parts:
            for name, table in tables.tables.items():
                if name == "gallery_changes":
                    continue  # is for who has the place open, and goes nowhere
                rows[name] = _sorted(table, engine)
        return rows


def _sorted(table: Table, engine: Any) -> list[tuple[Any, ...]]:
    with engine.begin() as connection:
        found = [tuple(row) for row in connection.execute(select(table))]
    width = len(table.primary_key.columns)
    return sorted(found, key=lambda row: row[:width])


def without_audit(rows: Rows) -> Rows:
    return {name: found for name, found in rows.items() if name not in AUDIT}


def is_empty(place: Spot) -> bool:
    """Whether no identity and no API key is there; whatever else may be."""
    with closing(place.opened()) as found:
        return not found.store.collections() and not found.store.keys.all_keys()


def run_in_child(environment: dict[str, str], arguments: list[str]) -> None:
    """For a process of its own: runs a command and ends with its exit status."""
    os.environ.clear()
    os.environ.update(environment)
    sys.exit(run(arguments))
