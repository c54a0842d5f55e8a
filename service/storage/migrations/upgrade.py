"""Applies revisions by Alembic, without an alembic.ini.

A new revision is a file in `versions`, made from `script.py.mako`, and the new
`service.storage.migrations.HEAD`.
"""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from service.core.errors import NotReady
from service.storage.engines import WRITES
from service.storage.postgres import take_turns


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", "service.storage:migrations")
    config.set_main_option("path_separator", "os")
    return config


def upgrade(engine: Engine) -> None:
    """Applies the revisions that are missing, all in one transaction or none.

    Several processes may do it at once: one takes its turn, and those behind it find
    nothing left to do.

    Raises:
        NotReady: If a newer version of this program has used the database.
    """
    config = alembic_config()
    scripts = ScriptDirectory.from_config(config)
    with engine.execution_options(**WRITES).begin() as connection:
        take_turns(connection)
        current = set(MigrationContext.configure(connection).get_current_heads())
        known = {script.revision for script in scripts.walk_revisions()}
        if current - known:
            raise NotReady(
                f"The database is at schema {', '.join(sorted(current))}, which is newer than "
                f"this version of the service knows ({scripts.get_current_head()}). "
                "Start the newer version, or restore a backup made with this one."
            )
        if current != set(scripts.get_heads()):
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
