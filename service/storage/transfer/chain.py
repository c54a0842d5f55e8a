"""The audit log as it comes in a stream: is it as it was written?

`audit_check` asks the same of a log in its place, and says more of what it finds.
"""

from __future__ import annotations

from typing import Any

from service.core.secrecy import DataKey
from service.storage.audit_chain import Anchor, Head, mac_of, same
from service.storage.audit_rows import is_sealed


class Chain:
    """Takes the head, then the rows, in the order of their numbers."""

    def __init__(self, key: DataKey) -> None:
        self._key = key
        self._head: Head | None = None
        self._at = Head().base
        self._fault: str | None = None

    def head(self, row: dict[str, Any]) -> None:
        self._head = Head(
            Anchor(row["base_count"], row["base_mac"]), Anchor(row["count"], row["mac"])
        )
        self._at = self._head.base
        if not is_sealed(self._key, self._head, row["seal"]):
            self._tell("the head of the audit log was changed")

    def row(self, columns: tuple[Any, ...]) -> None:
        number, *middle, mac = columns
        if self._head is None:
            self._tell("the audit log has no head")
        elif number != self._at.number + 1:
            self._tell(f"row {self._at.number + 1} of the audit log is missing")
        elif not same(mac_of(self._key, self._at.mac, number, tuple(middle)), mac):
            self._tell(f"row {number} of the audit log was changed")
        self._at = Anchor(number, mac)

    def end(self) -> str | None:
        """The first thing that is wrong, in words; None if nothing is."""
        if self._head is not None and self._at != self._head.last:
            self._tell(f"the audit log ends with row {self._at.number}, not with its last")
        return self._fault

    def _tell(self, fault: str) -> None:
        self._fault = self._fault or fault
