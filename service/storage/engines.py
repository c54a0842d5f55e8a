"""How each database is opened and kept; all that is particular to SQLite.

A store begins a transaction that writes with the execution options `WRITES`.
What an engine owes it for that: two such transactions on one identity follow
each other, and a committed one is on the disk.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool

from service.core.errors import NotReady

BUSY_TIMEOUT_S: Final = 5.0
"""How long a transaction waits for others before it is refused."""

RETRY_S: Final = 0.01

WRITES: Final = {"semblance_writes": True}

_PRIMARY_CODE = 0xFF
_CONNECTION_PRAGMAS = (
    "foreign_keys = ON",
    # A commit is on the disk when it returns: also the write-ahead log is synced.
    "synchronous = FULL",
    # Deleted rows are overwritten, not just forgotten.
    "secure_delete = ON",
    # No face data in files outside of the data folder.
    "temp_store = MEMORY",
    # KiB of each connection's own pages. SQLite's 2 MiB fill up over hours, in each of some
    # twenty connections; what is asked for often is in the galleries' cache and the system's.
    "cache_size = -256",
)


def make_sqlite_file(path: Path) -> None:
    """Makes an empty file that only its owner may read, and its folder, unless they are there.

    SQLite gives the files it makes beside it the same mode.

    Raises:
        OSError: If the folder or the file cannot be made.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        # Never opens a file that is there: closing it again would drop the
        # locks that this process holds on it through SQLite.
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return


def sqlite_engine(path: Path) -> Engine:
    """An engine over an existing file; a file that is gone is never made anew."""
    engine = create_engine(
        "sqlite://",
        creator=partial(
            sqlite3.connect,
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=BUSY_TIMEOUT_S,
            # The driver begins no transaction by itself; `_begin` does, for
            # reads and schema changes too.
            isolation_level=None,
            check_same_thread=False,
        ),
        poolclass=QueuePool,
        # As many connections as threads ask: the server bounds the threads.
        pool_size=8,
        max_overflow=-1,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def _set_pragmas(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    with closing(connection.cursor()) as cursor:
        for pragma in _CONNECTION_PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    # A transaction that reads first and then writes would be refused, without
    # waiting, if another wrote in between: so a writer locks at once.
    writes = connection.get_execution_options().get("semblance_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def use_write_ahead_log(engine: Engine) -> None:
    """Sets the journal of a database file; it stays set in the file.

    Raises:
        NotReady: If the file system cannot do it, as some network ones cannot.
        sqlite3.Error: If the file cannot be read or written.
    """
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            mode = run_bare(engine, "PRAGMA journal_mode = WAL")[0]
            break
        except sqlite3.Error as error:
            # While another process makes the same change SQLite answers "busy"
            # at once, whatever the time-out.
            busy = error.sqlite_errorcode & _PRIMARY_CODE == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(RETRY_S)
    if mode != "wal":
        raise NotReady("The storage's file system does not support a write-ahead log.")


def run_bare(engine: Engine, statement: str) -> tuple[object, ...]:
    """First row of the answer to a statement that no transaction may hold; empty if none.

    Raises:
        sqlite3.Error: As the driver does; DBAPIError if there is no connection.
    """
    with closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(statement)
        row: tuple[object, ...] = cursor.fetchone() or ()
        return row
