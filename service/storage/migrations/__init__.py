"""The database's schema, in revisions: `versions` has them, `upgrade` applies them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Engine, inspect, text

HEAD: Final = "0006"
"""The newest revision."""


def migrate(engine: Engine) -> None:
    """Brings a database to the schema of this code.

    Raises:
        NotReady: If a newer version of this program has used the database.
    """
    if revisions_of(engine) == {HEAD}:
        return
    # Alembic takes a tenth of a second to import, and most starts need none of it.
    from service.storage.migrations.upgrade import upgrade

    upgrade(engine)


def revisions_of(engine: Engine) -> set[str]:
    """Of a database; empty if it was never used."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return set()
        rows = connection.execute(text("SELECT version_num FROM alembic_version"))
        return set(rows.scalars())
