"""Keys that no identity has: a process was killed between its row and its key."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Engine, func, select

from service.storage.data_keys import DataKeys
from service.storage.engines import WRITES
from service.storage.postgres import is_postgres, keep_writers_out
from service.storage.tables import identities

MOST_AT_START: Final = 100_000
"""With more identities in PostgreSQL no start looks for them: it would take seconds."""


def destroy_orphans(engine: Engine, keys: DataKeys, *, at_start: bool = True) -> int:
    """Destroys them; answers how many there were.

    Args:
        at_start: Not among very many identities.
    """
    counted = select(func.count(identities.c.data_key))
    with engine.begin() as connection:
        if at_start and is_postgres(engine):
            some = select(identities.c.id).limit(MOST_AT_START + 1).subquery()
            found = connection.execute(select(func.count()).select_from(some)).scalar_one()
            if found > MOST_AT_START:
                return 0
        if keys.count() == connection.execute(counted).scalar_one():
            return 0
    # Nobody enrols meanwhile: a new identity has its row, not yet committed, before it
    # has its key.
    with engine.execution_options(**WRITES).begin() as connection:
        keep_writers_out(connection)
        owned = set(connection.scalars(select(identities.c.data_key)))
        orphans = keys.ids() - owned
        if orphans:
            keys.destroy(orphans)
    return len(orphans)
