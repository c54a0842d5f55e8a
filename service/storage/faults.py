"""What a database says is wrong, in words of the core."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from model.errors import Overloaded, SemblanceError
from service.core.errors import NotReady, StorageFull

_Fault = tuple[type[SemblanceError], str]

_FULL: _Fault = (StorageFull, "The storage is full; nothing was stored.")
_BUSY: _Fault = (Overloaded, "The storage is busy; try again.")
_UNUSABLE: _Fault = (NotReady, "The storage cannot be used at the moment.")

_BY_SQLITE_CODE: dict[str, _Fault] = {
    "SQLITE_FULL": _FULL,
    # The index of the write-ahead log has no room, when a database is opened.
    "SQLITE_IOERR_SHMSIZE": _FULL,
    "SQLITE_BUSY": _BUSY,
    "SQLITE_LOCKED": _BUSY,
    "SQLITE_CANTOPEN": _UNUSABLE,
    "SQLITE_CORRUPT": _UNUSABLE,
    "SQLITE_IOERR": _UNUSABLE,
    "SQLITE_NOTADB": _UNUSABLE,
    "SQLITE_PERM": _UNUSABLE,
    "SQLITE_READONLY": _UNUSABLE,
}

# The first of these that an SQLSTATE begins with.
_BY_SQLSTATE: dict[str, _Fault] = {
    "53100": _FULL,
    "54": _FULL,  # a limit of the program, such as a transaction's number
    "53": _BUSY,  # connections, memory
    "55P03": _BUSY,  # waited too long for a lock
    "57014": _BUSY,  # took too long
    "40": _BUSY,  # a deadlock, or others changed the same
} | dict.fromkeys(
    # Connection lost, refused; shutting down or starting; a read-only standby; a disk
    # that fails; damaged files; no such database or table; no right to it.
    ("08", "28", "57P", "25006", "58", "XX", "3D", "42P01", "42501", "25P03"),
    _UNUSABLE,
)


@contextmanager
def translated() -> Iterator[None]:
    """Raises errors of the core for what a caller or an operator can do something about.

    A mistake of ours, such as a broken constraint, passes through as it is: its
    text holds the statement but, by `hide_parameters`, no value of it.

    Raises:
        StorageFull: If the disk, or the size set for the database, is used up.
        Overloaded: If others kept the database locked for longer than the time-out.
        NotReady: If the database is missing, damaged, read-only or unreadable.
    """
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        driver_error = error.orig if isinstance(error, DBAPIError) else error
        fault = _of(driver_error)
        if fault is None:
            raise
        kind, message = fault
        raise kind(message) from error


def kind_of(driver_error: BaseException) -> type[SemblanceError] | None:
    """What a driver's error is translated to; None if it is none of the database's troubles."""
    fault = _of(driver_error)
    return fault and fault[0]


def _of(error: object) -> _Fault | None:
    return _of_sqlite(error) or _of_postgres(error)


def _of_sqlite(error: object) -> _Fault | None:
    # An extended code such as SQLITE_IOERR_WRITE starts with its primary one.
    name: str = getattr(error, "sqlite_errorname", "")
    return _BY_SQLITE_CODE.get(name) or _BY_SQLITE_CODE.get("_".join(name.split("_")[:2]))


def _of_postgres(error: object) -> _Fault | None:
    """Told by its attributes: the driver is not there where it is not used."""
    if not hasattr(error, "sqlstate"):
        return None
    code: str | None = error.sqlstate
    if code is None:
        # It never reached the server, or lost it. What the driver itself refuses to send
        # is a mistake of ours.
        return _UNUSABLE if type(error).__name__ == "OperationalError" else None
    return next((fault for start, fault in _BY_SQLSTATE.items() if code.startswith(start)), None)
