"""Retention of the audit log: old rows go, and the rest is still a chain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine

from service.core.access import DEFAULT_COLLECTION
from service.core.audit import AuditEntry
from service.core.errors import DamagedData
from service.core.secrecy import DataKey
from service.storage.audit_chain import to_row, to_us
from service.storage.audit_check import check
from service.storage.audit_rows import DAMAGED, prune
from service.storage.engines import WRITES
from service.storage.erasure import erase_deleted
from service.storage.faults import translated


def prune_before(engine: Engine, key: DataKey, moment: datetime) -> int:
    """Deletes the rows older than this, up to the first that is not; answers how many.

    The log itself says that it was done. One that is not whole is left alone: pruning
    would take the proof away.

    Raises:
        DamagedData: If `audit verify` would find a fault.
        StorageFull, Overloaded, NotReady: If it cannot be done; then nothing is.
    """
    if check(engine, key).fault is not None:
        raise DamagedData(DAMAGED)
    about = AuditEntry(
        "audit_prune", "ok", DEFAULT_COLLECTION, details={"before": moment.isoformat()}
    )
    with translated(), engine.execution_options(**WRITES).begin() as connection:
        gone = prune(connection, key, to_us(moment), to_row(key, about))
    erase_deleted(engine)
    return gone
