"""An insertion that may meet what is there already: both engines have one, each its own."""

from __future__ import annotations

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from service.storage.postgres import is_postgres


def insertion(connection: Connection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """To be given values and `on_conflict_...`."""
    return postgresql.insert(table) if is_postgres(connection) else sqlite.insert(table)
