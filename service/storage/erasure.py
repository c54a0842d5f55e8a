"""Erasing what a deletion leaves behind in the files of a database.

SQLite overwrites a deleted row with zeros (`secure_delete`), but that is not
all of it:

- The write-ahead log holds older versions of the pages. A checkpoint that
  truncates it ends that.
- When SQLite moves rows between neighbouring pages it leaves copies in the
  unused middle of a page, and forgets where. Some hundred deletions leave
  about one such piece of a row. Only building the file anew (`VACUUM`) is
  certain to drop them.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from service.storage.engines import BUSY_TIMEOUT_S, RETRY_S, run_bare

_log = logging.getLogger(__name__)

MAX_REBUILD_BYTES: Final = 64 * 2**20
"""A larger database is not built anew after each deletion.

It takes about 4 ms and 1 MiB of memory a MiB, in which nobody else writes.
"""


def erase_deleted(engine: Engine) -> bool:
    """Erases the traces of committed deletions from the files.

    Does nothing where the engine keeps no such files of ours.

    Returns:
        Whether it is done. If not, a warning is logged, and the next deletion
        does it. The deletion itself stands in either case.
    """
    if engine.dialect.name != "sqlite":
        return True
    # Both, whatever becomes of the first.
    return all([_rebuild(engine), empty_log(engine)])


def _rebuild(engine: Engine) -> bool:
    try:
        if _size_bytes(engine) <= MAX_REBUILD_BYTES:
            run_bare(engine, "VACUUM")
    except (sqlite3.Error, DBAPIError):
        _log.warning("the database could not be built anew after a deletion", exc_info=True)
        return False
    return True


def _size_bytes(engine: Engine) -> int:
    pages, page_bytes = (
        run_bare(engine, f"PRAGMA {name}")[0] for name in ("page_count", "page_size")
    )
    assert isinstance(pages, int)
    assert isinstance(page_bytes, int)
    return pages * page_bytes


def empty_log(engine: Engine) -> bool:
    """Moves the write-ahead log into the database and truncates it.

    Waits for transactions that are under way, for up to `BUSY_TIMEOUT_S` or,
    behind a reader that does not end, twice that.

    Returns:
        Whether the log is empty. If not, a warning is logged; the next
        deletion, start or last close empties it.
    """
    if engine.dialect.name != "sqlite":
        return True
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            if run_bare(engine, "PRAGMA wal_checkpoint(TRUNCATE)")[0] == 0:
                return True
        except (sqlite3.Error, DBAPIError):
            _log.warning("the write-ahead log could not be emptied", exc_info=True)
            return False
        # SQLite itself waits for readers and writers, but not for another checkpoint.
        if time.monotonic() > deadline:
            _log.warning("deleted data remain in the write-ahead log: a reader does not end")
            return False
        time.sleep(RETRY_S)
