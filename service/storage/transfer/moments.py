"""Transactions in which everything can be read as it was at one moment.

    moment  the service goes on writing; what it writes later is not seen
    held    nobody writes until the end

The faces are seen as they were when this began, and so is the audit log when it is
first asked for, which comes last. The keys are seen as they are when they are asked
for: an identity that has none by then was erased in the meantime. Its key came before
the identity did, so that one that is seen has a key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select, text

from service.storage.databases import Databases
from service.storage.engines import WRITES
from service.storage.postgres import is_postgres, keep_writers_out, reading_engine
from service.storage.tables import identities

Opener = Callable[[], AbstractContextManager[Connection]]


@dataclass(frozen=True)
class Parts:
    """Where to read each part: the faces in one transaction, the others when it comes to them."""

    faces: Connection
    keys: Opener
    audit: Opener

    @classmethod
    def within(cls, faces: Connection, keys: Connection, audit: Connection) -> Parts:
        """All of them in transactions that have begun."""
        return cls(faces, lambda: nullcontext(keys), lambda: nullcontext(audit))


@contextmanager
def moment(databases: Databases) -> Iterator[Parts]:
    """While this lasts SQLite cannot empty its write-ahead log, nor PostgreSQL its old rows."""
    with _reading(databases.faces) as faces:
        # The moment is that of the first look, not of the transaction's beginning.
        faces.execute(select(identities.c.id).limit(1))
        yield Parts(faces, lambda: _reading(databases.keys), lambda: _reading(databases.audit))


@contextmanager
def held(databases: Databases) -> Iterator[Parts]:
    """Waits for transactions that write, and lets no new one begin until the end.

    Raises:
        Overloaded: If one does not end.
    """
    with ExitStack() as stack:
        begun: dict[Engine, Connection] = {}
        for engine, tables in (
            (databases.faces, "api_keys, key_usage"),
            # The log first: who writes it has looked at the head before, and changes it after.
            (databases.audit, "audit_log, audit_head"),
            (databases.keys, "data_keys, service_keys"),
        ):
            if engine not in begun:
                begun[engine] = stack.enter_context(_writing_held(engine))
                if engine is databases.faces:
                    keep_writers_out(begun[engine])
            if is_postgres(engine):
                # After those of the faces: who enrols has these locked second, too.
                begun[engine].execute(text(f"LOCK TABLE {tables} IN SHARE MODE"))
        yield Parts.within(begun[databases.faces], begun[databases.keys], begun[databases.audit])


@contextmanager
def _writing_held(engine: Engine) -> Iterator[Connection]:
    with reading_engine(engine).execution_options(**WRITES).begin() as connection:
        take_your_time(connection)
        yield connection


@contextmanager
def _reading(engine: Engine) -> Iterator[Connection]:
    with reading_engine(engine).begin() as connection:
        take_your_time(connection)
        if is_postgres(engine):
            connection.execute(text("SET TRANSACTION READ ONLY"))
        yield connection


def take_your_time(connection: Connection) -> None:
    """For a transaction that is to take as long as it takes."""
    if is_postgres(connection):
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
