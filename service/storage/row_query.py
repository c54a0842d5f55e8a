"""One row by the value of one column, as cheaply as the driver can."""

from __future__ import annotations

from contextlib import closing
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, bindparam
from sqlalchemy.exc import DBAPIError


class RowQuery:
    """Asks for one row, again and again.

    The statement is compiled once. To SQLite's driver it goes as text: 11 us instead of
    96 us by way of SQLAlchemy's connection with its transaction. One statement reads
    what is committed without one. What comes back is the driver's own: numbers and
    texts, where a column type would make more of them.

    Args:
        engine: Of PostgreSQL: one that commits by itself, so that it is one round trip.
        columns: What of it.
        named_by: The column that tells which row.
    """

    def __init__(self, engine: Engine, columns: Select[Any], named_by: ColumnElement[Any]) -> None:
        self._engine = engine
        compiled = columns.where(named_by == bindparam("value")).compile(dialect=engine.dialect)
        self._statement = str(compiled)
        self._by_position = bool(compiled.positional)
        self._bare = engine.dialect.name == "sqlite"

    def __call__(self, value: str) -> tuple[Any, ...] | None:
        """The row, or None if there is none.

        Raises:
            sqlite3.Error: As SQLite's driver does.
            DBAPIError: As any other, and if there is no connection.
        """
        if self._bare:
            return self._asked_bare(value)
        try:
            return self._asked(value)
        except DBAPIError as error:
            # The connection had died in the pool, as after a restart of the server.
            # SQLAlchemy has let go of all that were made before.
            if not error.connection_invalidated:
                raise
            return self._asked(value)

    def _asked_bare(self, value: str) -> tuple[Any, ...] | None:
        parameters = (value,) if self._by_position else {"value": value}
        with (
            closing(self._engine.raw_connection()) as connection,
            closing(connection.cursor()) as cursor,
        ):
            cursor.execute(self._statement, parameters)
            row: tuple[Any, ...] | None = cursor.fetchone()
        return row

    def _asked(self, value: str) -> tuple[Any, ...] | None:
        parameters = (value,) if self._by_position else {"value": value}
        with self._engine.connect() as connection:
            row = connection.exec_driver_sql(self._statement, parameters).first()
        return None if row is None else tuple(row)
