"""From a stream into an empty place: written, read back, compared; then it counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from service.core.audit import AuditEntry
from service.core.secrecy import DataKey
from service.storage.audit_tables import audit_head, audit_log
from service.storage.databases import Databases
from service.storage.faults import translated
from service.storage.transfer.batches import Batch, TransferError, to_bytes
from service.storage.transfer.reading import Reading
from service.storage.transfer.tally import Sum, Tally
from service.storage.transfer.writing import target

Sums = Mapping[str, Sum]


class Moved(NamedTuple):
    """What came, and was read back.

    Attributes:
        log_went_on: The audit log that was there already goes further than the one that
            came; it says what was done since.
    """

    sums: Sums
    log_went_on: bool


def move(
    stream: Iterable[Batch],
    databases: Databases,
    accept: Callable[[Sums], tuple[DataKey, AuditEntry]],
) -> Moved:
    """Returns when what was read back from the place is what came, and is committed.

    Args:
        databases: Opened by `open_store`, with the tables of the audit log.
        accept: Given what came, raises if it is not to count; else answers the key of
            the audit log, and an entry for it.

    Raises:
        TransferError: If the place is not empty, or what is read back is not what came.
        StorageFull, Overloaded, NotReady: As a store; nothing was written then.
    """
    came = Tally()
    with translated(), target(databases) as place:
        for batch in stream:
            came.add(batch.table, len(batch.rows), to_bytes(batch.rows))
            place.write(batch)
        audit_key, entry = accept(came.sums())
        found = Tally()
        for batch in Reading(place.parts()):
            found.add(batch.table, len(batch.rows), to_bytes(batch.rows))
        sums = dict(found.sums())
        if place.audit.goes_further:
            # Nothing of it was written.
            sums |= {table.name: came.sums()[table.name] for table in (audit_head, audit_log)}
        wrong = [name for name, found in sums.items() if found != came.sums()[name]]
        if wrong:
            raise TransferError(f"what was written reads otherwise in {', '.join(wrong)}")
        place.record(audit_key, entry)
    return Moved(sums, place.audit.goes_further)
