"""The audit log page by page, each in a transaction of its own.

A long transaction would keep the faces that are deleted meanwhile in SQLite's
write-ahead log.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, func, select

from service.storage.audit_chain import Head
from service.storage.audit_rows import stored_head
from service.storage.audit_tables import audit_log
from service.storage.faults import translated
from service.storage.postgres import reading_engine

SIZE: Final = 1000


class Page(NamedTuple):
    """Some rows, and the head at the same moment.

    Attributes:
        head: With its seal; None if there is none.
        first: The lowest number of all rows; None if there is no row.
        rows: Number, the columns of a `Row`, mac; in order of number.
    """

    head: tuple[Head, object] | None
    first: int | None
    rows: Sequence[tuple[Any, ...]]

    @property
    def is_last(self) -> bool:
        return len(self.rows) < SIZE


def page_after(engine: Engine, number: int) -> Page:
    """The rows behind this number. Raises NotReady if they cannot be read."""
    with translated(), _reading(engine) as connection:
        rows = connection.execute(
            select(audit_log)
            .where(audit_log.c.number > number)
            .order_by(audit_log.c.number)
            .limit(SIZE)
        )
        return Page(
            head=stored_head(connection),
            rows=[tuple(row) for row in rows],
            first=connection.scalar(select(func.min(audit_log.c.number))),
        )


def rows_after(engine: Engine, number: int) -> Iterator[tuple[Any, ...]]:
    """All rows behind this number, as `Page.rows`."""
    while True:
        page = page_after(engine, number)
        yield from page.rows
        if page.is_last:
            return
        number = page.rows[-1][0]


@contextmanager
def _reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that reads texts also where somebody put bytes that are none."""
    with reading_engine(engine).begin() as connection:
        driver = connection.connection.driver_connection
        if not isinstance(driver, sqlite3.Connection):
            yield connection
            return
        usual, driver.text_factory = driver.text_factory, _lenient
        try:
            yield connection
        finally:
            driver.text_factory = usual


def _lenient(text: bytes) -> str:
    return text.decode("utf-8", "surrogateescape")
