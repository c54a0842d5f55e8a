"""How a PostgreSQL database is opened; all that is particular to it.

A transaction that writes locks the rows of the identities that it changes, so that two
on one identity follow each other and others go on beside them. What must happen once,
whatever number of processes start at the same moment, takes turns by `take_turns`.
"""

from __future__ import annotations

from contextlib import closing
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

_NAMES: Final = ("postgresql", "postgres", "postgresql+psycopg")
_OURS: Final = 0x5EB1A9CE
"""Of our advisory lock, among those that other programs may take."""

# Milliseconds. A server that hangs must not take our threads with it.
_ON_CONNECT: Final = (
    "SET lock_timeout = 5000",
    "SET statement_timeout = 30000",
    "SET idle_in_transaction_session_timeout = 60000",
)
_CONNECTING: Final = {
    "application_name": "semblance",
    "connect_timeout": "3",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    # Of what was sent and not acknowledged; milliseconds.
    "tcp_user_timeout": "10000",
}

_PATIENCE_MS: Final = "600000"


class AddressError(ValueError):
    """An address of a database cannot be used; the text shows no password."""


def postgres_url(address: str) -> URL:
    """An address such as postgresql://user:password@host:5432/name, as SQLAlchemy has it.

    Parameters of libpq may follow: `?sslmode=verify-full&sslrootcert=...`.

    Raises:
        AddressError: If it is none, or of another kind of database.
    """
    try:
        url = make_url(address)
    except (ArgumentError, ValueError) as error:
        raise AddressError("is no address such as postgresql://user@host/name") from error
    if url.drivername not in _NAMES:
        raise AddressError(f"is of '{url.drivername}'; PostgreSQL begins with postgresql://")
    if not url.database:
        raise AddressError("names no database: postgresql://user@host/name")
    return url.set(drivername="postgresql+psycopg")


def patient_address(address: str) -> str:
    """The same address, for one who sends a lot: a server that stalls is waited for.

    One whose disk is busy takes nothing from the network for a while, which is no reason
    to begin again. Minutes, unless the address itself says how long.

    Raises:
        AddressError
    """
    url = postgres_url(address)
    given = {"tcp_user_timeout": _PATIENCE_MS} | dict(url.query)
    return url.set(query=given).render_as_string(hide_password=False)


def postgres_engine(address: str, *, autocommit: bool = False) -> Engine:
    """An engine; nothing is connected yet.

    Args:
        autocommit: For single statements that read: one round trip each.

    Raises:
        AddressError
    """
    url = postgres_url(address)
    engine = create_engine(
        url,
        connect_args={name: value for name, value in _CONNECTING.items() if name not in url.query},
        # As many connections as threads ask: the server bounds the threads.
        pool_size=8,
        max_overflow=-1,
        # A connection that died while it lay in the pool is replaced before it is used;
        # a single read is asked again instead (`RowQuery`).
        pool_pre_ping=not autocommit,
        pool_reset_on_return=None if autocommit else "rollback",
        isolation_level="AUTOCOMMIT" if autocommit else "READ COMMITTED",
        hide_parameters=True,
    )
    event.listen(engine, "connect", _set_limits)
    return engine


def _set_limits(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    before = connection.autocommit
    connection.autocommit = True
    with closing(connection.cursor()) as cursor:
        for statement in _ON_CONNECT:
            cursor.execute(statement)
    connection.autocommit = before


def reading_engine(engine: Engine) -> Engine:
    """The same engine, for transactions that read: each sees one moment, as in SQLite."""
    if is_postgres(engine):
        return engine.execution_options(isolation_level="REPEATABLE READ")
    return engine


def is_postgres(place: Connection | Engine) -> bool:
    return place.dialect.name == "postgresql"


def take_turns(connection: Connection) -> None:
    """Waits until no other process is between this and the end of its transaction.

    In SQLite a transaction that writes is alone from its beginning.
    """
    if is_postgres(connection):
        # Who waits here waits for a migration, which may take its time.
        connection.execute(text("SET LOCAL lock_timeout = 0"))
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:ours)"), {"ours": _OURS})


def keep_writers_out(connection: Connection) -> None:
    """Waits for all transactions that enrol or delete, and holds new ones off until its end."""
    if is_postgres(connection):
        connection.execute(text("SET LOCAL lock_timeout = 30000"))
        connection.execute(text("LOCK TABLE identities IN SHARE ROW EXCLUSIVE MODE"))
