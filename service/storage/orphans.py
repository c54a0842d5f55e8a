"""Keys that no identity has: a process was killed between its row and its key."""

from __future__ import annotations

from sqlalchemy import Engine, func, select

from service.storage.data_keys import DataKeys
from service.storage.engines import WRITES
from service.storage.tables import identities


def destroy_orphans(engine: Engine, keys: DataKeys) -> int:
    """Destroys them; answers how many there were."""
    counted = select(func.count(identities.c.data_key))
    with engine.begin() as connection:
        if keys.count() == connection.execute(counted).scalar_one():
            return 0
    # Nobody enrols meanwhile: a new identity has its key before it has its row.
    with engine.execution_options(**WRITES).begin() as connection:
        owned = set(connection.scalars(select(identities.c.data_key)))
        orphans = keys.ids() - owned
        if orphans:
            keys.destroy(orphans)
    return len(orphans)
