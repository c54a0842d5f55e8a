"""An audit log that comes to a place which may have one: nothing in either is lost.

The database refuses to delete rows of the log, and that is right. So the place has none
yet, or one of the same chain: a restore that was broken off has left the beginning of
what comes now, or only the rest of the place was lost and its log goes further. Rows
that are there stay, those that are missing are added.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, func, insert, select

from service.storage.audit_chain import BEGINNING, Anchor, Head
from service.storage.audit_rows import stored_head
from service.storage.audit_tables import HEAD_ID, audit_head, audit_log
from service.storage.transfer.batches import TransferError

ANOTHER = (
    "there is an audit log already, of another place or time, and it is not overwritten; "
    "put it away, then restore again"
)


class AuditMerge:
    """Takes the head that comes, then its rows; in one transaction.

    Attributes:
        goes_further: Whether the log that was there has rows behind the last that came.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        found = stored_head(connection)
        self._there = Head() if found is None else found[0]
        rows = connection.scalar(select(func.count()).select_from(audit_log))
        if found is None and rows:
            raise TransferError(ANOTHER)
        self._comes = Head()
        self._joined = self._there.last == BEGINNING

    @property
    def goes_further(self) -> bool:
        return self._there.last.number > self._comes.last.number

    def head(self, row: tuple[Any, ...]) -> None:
        """Raises TransferError if what is there is of another chain."""
        _, base_count, base_mac, count, mac, _ = row
        self._comes = Head(Anchor(base_count, base_mac), Anchor(count, mac))
        if not self._joined and self._there.base != self._comes.base:
            raise TransferError(ANOTHER)
        if self._there.last.number >= count:
            there = self._connection.scalar(
                select(audit_log.c.mac).where(audit_log.c.number == count)
            )
            if there != mac:
                raise TransferError(ANOTHER)
            self._joined = True
            return
        self._connection.execute(delete(audit_head).where(audit_head.c.id == HEAD_ID))
        names = [column.name for column in audit_head.columns]
        self._connection.execute(insert(audit_head), dict(zip(names, row, strict=True)))

    def rows(self, rows: list[tuple[Any, ...]]) -> None:
        """Raises as `head`."""
        last = self._there.last
        for row in rows:
            if row[0] == last.number:
                if row[-1] != last.mac:
                    raise TransferError(ANOTHER)
                self._joined = True
        new = [row for row in rows if row[0] > last.number]
        if new and not self._joined:
            raise TransferError(ANOTHER)
        if new:
            names = [column.name for column in audit_log.columns]
            self._connection.execute(
                insert(audit_log), [dict(zip(names, row, strict=True)) for row in new]
            )
