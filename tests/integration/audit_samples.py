"""An audit log on a real file: entries, whoever changes it from outside, child processes."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

from sqlalchemy import Engine, text

from service.core.audit import AuditEntry
from service.security.vault import AesDataKey
from service.storage.audit_chain import Anchor
from service.storage.audit_check import Fault, Verdict, check
from service.storage.audit_place import make_audit_tables
from service.storage.databases import Place, open_databases
from service.storage.sql_audit import SqlAudit

FILE = "audit.sqlite3"
KEY = AesDataKey(bytes(range(32)))
TRIGGERS = ("audit_log_no_update", "audit_log_no_delete", "audit_log_no_replace")


def entry(tag: object, *, collection: str = "default", subject: str | None = "ann") -> AuditEntry:
    """No two of different tags are alike."""
    return AuditEntry(
        "verify",
        "verified",
        collection,
        actor="0123456789abcdef",
        subject=subject,
        details={"rule": "share", "detection_threshold": 0.61, "fmr": 1e-4, "matched": 2},
        request_id=f"request-{tag}",
    )


class AuditFile:
    """An audit log by itself, as the service has it in its data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._databases = open_databases(Place(data_dir))
        self.engine = self._databases.audit
        make_audit_tables(self.engine)

    def close(self) -> None:
        self._databases.close()


@contextmanager
def opened(data_dir: Path) -> Iterator[AuditFile]:
    with closing(AuditFile(data_dir)) as store:
        yield store


def write(engine: Engine, rows: int) -> None:
    """Entries 1 to `rows`."""
    with closing(SqlAudit(engine, KEY)) as log:
        for tag in range(1, rows + 1):
            log.record(entry(tag), durable=False)


def verdict(data_dir: Path, expected: Anchor | None = None) -> Verdict:
    with opened(data_dir) as store:
        return check(store.engine, KEY, expected)


def fault(data_dir: Path, expected: Anchor | None = None) -> Fault | None:
    return verdict(data_dir, expected).fault


def found(data_dir: Path) -> tuple[int | None, str] | None:
    wrong = fault(data_dir)
    return None if wrong is None else (wrong.number, wrong.what)


def request_ids(engine: Engine) -> list[str]:
    with engine.begin() as connection:
        rows = connection.execute(text("SELECT request_id FROM audit_log ORDER BY number"))
        return [row[0] for row in rows]


@contextmanager
def outsider(database: Path) -> Iterator[sqlite3.Connection]:
    """Somebody who may write the database file, and takes the triggers away first."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for name in TRIGGERS:
            connection.execute(f"DROP TRIGGER IF EXISTS {name}")
        yield connection


# Run in processes of their own


def record_until_killed(data_dir: Path, turn: int, answers: Connection) -> None:
    """Sends the request id of each durable entry once it is said to be on the disk."""
    log = SqlAudit(AuditFile(data_dir).engine, KEY)
    for call in count():
        for other in range(3):
            log.record(entry(f"{turn}-{call}-loose-{other}"), durable=False)
        log.record(entry(f"{turn}-{call}"), durable=True)
        answers.send(f"request-{turn}-{call}")


def record_some(data_dir: Path, worker: int, rows: int, ready: Barrier) -> None:
    with opened(data_dir) as store, closing(SqlAudit(store.engine, KEY)) as log:
        ready.wait()
        for number in range(rows):
            log.record(entry(f"{worker}-{number}"), durable=number % 5 == 0)
            # SQLite lets the one that has just written write again, rather than who waits.
            time.sleep(0.002)
