"""What a database says is wrong, in words of the core."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError

from model.errors import SemblanceError
from service.core.errors import NotReady, Overloaded, StorageFull

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
        # An extended code such as SQLITE_IOERR_WRITE starts with its primary one.
        name: str = getattr(driver_error, "sqlite_errorname", "")
        fault = _BY_SQLITE_CODE.get(name) or _BY_SQLITE_CODE.get("_".join(name.split("_")[:2]))
        if fault is None:
            raise
        kind, message = fault
        raise kind(message) from error
