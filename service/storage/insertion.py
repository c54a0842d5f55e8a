"""An insertion that may meet what is there already: both engines have one, each its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import sqlite

from service.storage.postgres import is_postgres

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql


def insertion(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """To be given values and `on_conflict_...`."""
    if is_postgres(connection):
        # Imported where it is in use: a start with SQLite does without.
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    return sqlite.insert(table)
