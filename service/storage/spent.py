"""What of liveness was used: in an SQL database, or in the memory of one process."""

from __future__ import annotations

import threading
from datetime import datetime

from sqlalchemy import Engine, delete

from service.storage.engines import WRITES
from service.storage.faults import translated
from service.storage.insertion import insertion
from service.storage.tables import spent_liveness


class SqlSpent:
    """`service.core.liveness.tickets.Spent` over a migrated database; raises as `SqlStore` does."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(**WRITES)

    def spend(self, spent_id: str, until: datetime) -> bool:
        values = {"spent_id": spent_id, "until": until.timestamp()}
        with translated(), self._engine.begin() as connection:
            added = insertion(connection, spent_liveness).values(**values).on_conflict_do_nothing()
            # Not the count of rows: of an insertion PostgreSQL's driver does not tell it.
            return connection.scalar(added.returning(spent_liveness.c.spent_id)) is not None

    def forget(self, before: datetime) -> int:
        old = delete(spent_liveness).where(spent_liveness.c.until < before.timestamp())
        with translated(), self._engine.begin() as connection:
            return connection.execute(old).rowcount


class MemorySpent:
    """The same for a store that forgets; any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._until: dict[str, datetime] = {}

    def spend(self, spent_id: str, until: datetime) -> bool:
        with self._lock:
            if spent_id in self._until:
                return False
            self._until[spent_id] = until
            return True

    def forget(self, before: datetime) -> int:
        with self._lock:
            kept = {spent_id: until for spent_id, until in self._until.items() if until >= before}
            count = len(self._until) - len(kept)
            self._until = kept
            return count
