"""What backup, restore and migrate-store say: how far they are, what was moved, what is wrong."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import Final

from service.storage.transfer.batches import TABLES, Batch
from service.storage.transfer.checking import Checker
from service.storage.transfer.moving import Sums

_EVERY_S: Final = 2.0
_HASH_SHOWN: Final = 16


def watched(stream: Iterable[Batch], what: str, checker: Checker | None = None) -> Iterator[Batch]:
    """The same stream; says on standard error how far it is, and lets a checker look."""
    rows, size, said = 0, 0, time.monotonic()
    for batch in stream:
        if checker is not None:
            checker.see(batch)
        rows += len(batch.rows)
        size += sum(len(value) for row in batch.rows for value in row if isinstance(value, bytes))
        if time.monotonic() - said > _EVERY_S:
            said = time.monotonic()
            print(f"{what}: {rows:,} rows, {size / 1e6:,.0f} MB", file=sys.stderr, flush=True)
        yield batch
    if checker is not None:
        checker.end()


def print_table(sums: Sums, *, compared: str | None = None) -> None:
    """Rows and hash of each table.

    Args:
        compared: What was found to be the same, such as "read back".
    """
    title = f"{'table':<18}{'rows':>12}  {'SHA-256':<{_HASH_SHOWN + 3}}"
    print(f"{title}  {compared}" if compared else title.rstrip())
    for table in TABLES:
        rows, sha256 = sums[table.name]
        line = f"{table.name:<18}{rows:>12,}  {sha256[:_HASH_SHOWN]}..."
        print(f"{line}  the same" if compared else line)


def print_faults(checker: Checker) -> None:
    for fault in checker.faults:
        print(f"not as it should be: {fault}", file=sys.stderr)
    if checker.count > len(checker.faults):
        print(f"... and {checker.count - len(checker.faults)} more", file=sys.stderr)


def counted(sums: Sums) -> dict[str, int]:
    """For the audit log: how many identities and references there are."""
    return {
        "identities": sums["identities"].rows,
        "references": sums["face_references"].rows,
    }
