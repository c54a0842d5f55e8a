"""The file of the audit log: beside the database, so that its length costs nobody anything.

In the database it would be copied whole whenever an identity is erased (`erasure`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from sqlalchemy import Engine, inspect

from service.storage.audit_tables import TRIGGERS, audit_metadata
from service.storage.engines import (
    WRITES,
    make_sqlite_file,
    sqlite_engine,
    use_write_ahead_log,
)
from service.storage.faults import translated

FILE_NAME: Final = "audit.sqlite3"


class AuditFile:
    """An open audit log.

    Args:
        data_dir: Its folder. The file is made, with mode 0600, if it is not there.

    Raises:
        OSError: If it cannot be made.
        NotReady, StorageFull, Overloaded: As for the store.
    """

    def __init__(self, data_dir: Path) -> None:
        path = data_dir / FILE_NAME
        make_sqlite_file(path)
        self.engine = sqlite_engine(path)
        try:
            with translated():
                use_write_ahead_log(self.engine)
                if len(inspect(self.engine).get_table_names()) < len(audit_metadata.tables):
                    _make_tables(self.engine)
        except BaseException:
            self.engine.dispose()
            raise

    def close(self) -> None:
        self.engine.dispose()


def _make_tables(engine: Engine) -> None:
    """All or nothing, under the lock: others may come to the same point."""
    with engine.execution_options(**WRITES).begin() as connection:
        audit_metadata.create_all(connection)
        for name, when in TRIGGERS.items():
            connection.exec_driver_sql(
                f"CREATE TRIGGER IF NOT EXISTS {name} {when} "
                "BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
            )
