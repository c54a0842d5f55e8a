"""Makes the tables of the audit log, with the triggers that keep accidents away."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, inspect

from service.storage.audit_tables import (
    POSTGRES_FUNCTIONS,
    POSTGRES_TRIGGERS,
    TRIGGERS,
    audit_metadata,
)
from service.storage.engines import WRITES
from service.storage.faults import translated
from service.storage.postgres import is_postgres, take_turns


def make_audit_tables(engine: Engine) -> None:
    """Unless they are there; all or nothing. Raises as a store does."""
    with translated():
        if audit_metadata.tables.keys() <= set(inspect(engine).get_table_names()):
            return
        with engine.execution_options(**WRITES).begin() as connection:
            # Others may come to the same point.
            take_turns(connection)
            audit_metadata.create_all(connection)
            if is_postgres(connection):
                _postgres_triggers(connection)
            else:
                _sqlite_triggers(connection)


def _sqlite_triggers(connection: Connection) -> None:
    for name, when in TRIGGERS.items():
        connection.exec_driver_sql(
            f"CREATE TRIGGER IF NOT EXISTS {name} {when} "
            "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
        )


def _postgres_triggers(connection: Connection) -> None:
    for function in POSTGRES_FUNCTIONS:
        connection.exec_driver_sql(function)
    for name, when in POSTGRES_TRIGGERS.items():
        connection.exec_driver_sql(
            f"CREATE OR REPLACE TRIGGER {name} {when} EXECUTE FUNCTION audit_refuse()"
        )
