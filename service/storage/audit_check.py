"""Is the audit log as it was written? The first place where it is not.

    changed      a column of the row, or of the head, is another, or nobody wrote it
    missing      no row has this number
    re-ordered   a row that was written under another number is here
    cut off      the head knows of rows after the last one
    rolled back  there are rows after the one that the head calls the last, or the
                 chain does not reach the anchor that was expected, or not this way

What is appended meanwhile is checked, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import Engine

from service.core.secrecy import DataKey
from service.storage.audit_chain import BEGINNING, Anchor, Head, mac_of, same
from service.storage.audit_pages import Page, page_after, rows_after
from service.storage.audit_rows import is_sealed

What = Literal["changed", "missing", "re-ordered", "cut off", "rolled back"]

_NEAR: Final = 64
_ANOTHER: Final = "the chain is not the one that was expected"


@dataclass(frozen=True)
class Fault:
    """The first thing that is wrong.

    Attributes:
        number: Of the row; None for the head.
        detail: For people.
    """

    number: int | None
    what: What
    detail: str

    def __str__(self) -> str:
        where = "the head" if self.number is None else f"row {self.number}"
        return f"{where}: {self.what} ({self.detail})"


@dataclass(frozen=True)
class Verdict:
    """What a look at the whole log has found.

    Attributes:
        good: The last row up to which all is as it was written.
        base: The last row that was pruned; all before it went, too.
        fault: None if nothing is wrong.
    """

    good: Anchor
    base: Anchor
    fault: Fault | None


class _Link(NamedTuple):
    """A row as it is found, after its number."""

    number: int
    columns: tuple[Any, ...]
    mac: object


def check(engine: Engine, key: DataKey, expected: Anchor | None = None) -> Verdict:
    """Reads the log from the beginning to the end.

    Args:
        expected: Where the chain was seen to reach before.

    Raises:
        NotReady: If the database cannot be read.
    """
    at = base = BEGINNING
    while True:
        page = page_after(engine, at.number)
        head, fault = _head_of(page, key)
        if fault is not None:
            return Verdict(at, base, fault)
        if head.base.number > at.number:
            # Pruned before we came, or while we read.
            at = base = head.base
            continue
        for number, *columns, mac in page.rows:
            link = _Link(number, tuple(columns), mac)
            fault = _fault(engine, key, at, link)
            if fault is not None:
                return Verdict(at, base, fault)
            at = Anchor(number, mac)
            if expected is not None and _is_another(expected, at):
                return Verdict(at, base, Fault(number, "rolled back", _ANOTHER))
        if page.is_last:
            return Verdict(at, base, _end_fault(at, head) or _reach(expected, at, base))


def _head_of(page: Page, key: DataKey) -> tuple[Head, Fault | None]:
    if page.head is None:
        missing = Fault(None, "missing", "there are rows, and no head")
        return Head(), None if page.first is None else missing
    head, seal = page.head
    if not is_sealed(key, head, seal):
        return head, Fault(None, "changed", "its seal does not fit")
    if page.first is not None and page.first <= head.base.number:
        return head, Fault(page.first, "changed", "nobody wrote it")
    return head, None


def _fault(engine: Engine, key: DataKey, before: Anchor, link: _Link) -> Fault | None:
    """What is wrong with the first row after `before`, if anything is."""
    number = link.number
    if number != before.number + 1:
        last = f" to {number - 1}" if number > before.number + 2 else ""
        return Fault(before.number + 1, "missing", f"no row has this number{last}")
    if same(mac_of(key, before.mac, number, link.columns), link.mac):
        return None
    home = _home(engine, key, link)
    if home is None:
        return Fault(number, "changed", "it is not what was written")
    return Fault(number, "re-ordered", f"it was written as row {home}")


def _home(engine: Engine, key: DataKey, link: _Link) -> int | None:
    """Under which number a row that does not belong here was written; None if under none.

    Its mac tells, together with the mac of the row before. Where rows changed places,
    that one may have moved, too: it is looked for at its own place, at the place of the
    row itself, and among all that are near.
    """

    def written_as(number: int, previous: str) -> bool:
        return same(mac_of(key, previous, number, link.columns), link.mac)

    near: list[tuple[int, str]] = []
    previous = BEGINNING.mac
    for number, *_, mac in rows_after(engine, 0):
        if not isinstance(mac, str):
            continue
        if written_as(number, previous) or written_as(number, mac):
            return int(number)
        if abs(number - link.number) <= _NEAR:
            near.append((number, mac))
        previous = mac
    return next((n for n, _ in near for _, mac in near if written_as(n, mac)), None)


def _end_fault(at: Anchor, head: Head) -> Fault | None:
    gone = head.last.number - at.number
    if gone > 0:
        return Fault(at.number + 1, "cut off", f"{gone} more were written")
    if at != head.last:
        detail = f"it says {head.last.number} rows, and there are {at.number}"
        return Fault(None, "rolled back", detail)
    return None


def _reach(expected: Anchor | None, at: Anchor, base: Anchor) -> Fault | None:
    """Whether the chain, which is whole, got to where it was seen before."""
    if expected is None or expected == BEGINNING:
        return None
    if expected.number > at.number:
        detail = f"the log was seen with {expected.number} rows"
        return Fault(at.number + 1, "rolled back", detail)
    if _is_another(expected, base):
        return Fault(base.number, "rolled back", _ANOTHER)
    if expected.number < base.number:
        return Fault(expected.number, "missing", "it was pruned; a newer anchor is needed")
    return None


def _is_another(expected: Anchor, found: Anchor) -> bool:
    return expected.number == found.number and expected != found
