"""The chain of the audit log: what makes a change to it known.

    mac[0]  = 64 zeros
    mac[n]  = digest("row", mac[n-1], the columns of row n)
    seal    = digest("head", the columns of the head)
    subject = digest("identity", collection, name)

`digest` is keyed: who writes the database without a master key can neither change a
row nor cut off the last one and make it fit. What no chain shows is the whole database
put back to an older state; for that, an anchor, COUNT:MAC, is kept somewhere else.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from model.errors import SemblanceError
from service.core.audit import AuditEntry
from service.core.secrecy import DataKey

KEY_NAME: Final = "audit"
"""Of the service key whose digests these are."""

GENESIS: Final = "0" * 64
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_ANCHOR = re.compile(r"(\d{1,18}):([0-9a-f]{64})")


class AnchorError(SemblanceError):
    """A text is no anchor."""


class Row(NamedTuple):
    """The columns of `audit_log` between number and mac, as they are stored."""

    at_us: int
    actor: str | None
    collection: str
    action: str
    subject: str | None
    outcome: str
    details: str
    request_id: str | None


class Anchor(NamedTuple):
    """A place in the chain: the number of a row and its mac."""

    number: int
    mac: str

    def __str__(self) -> str:
        return f"{self.number}:{self.mac}"


BEGINNING: Final = Anchor(0, GENESIS)


@dataclass(frozen=True)
class Head:
    """Where the chain begins and ends.

    Attributes:
        base: The last row that was pruned; `BEGINNING` for none.
        last: The last row there is.
    """

    base: Anchor = BEGINNING
    last: Anchor = BEGINNING

    def seal(self, key: DataKey) -> str:
        return key.digest(b"head\0" + _canonical((*self.base, *self.last)))

    def values(self, key: DataKey) -> Mapping[str, object]:
        """The columns of `audit_head`."""
        return {
            "base_count": self.base.number,
            "base_mac": self.base.mac,
            "count": self.last.number,
            "mac": self.last.mac,
            "seal": self.seal(key),
        }


def to_row(key: DataKey, entry: AuditEntry) -> Row:
    """An entry as it is stored, without the name of its identity.

    Raises:
        ValueError, TypeError: If something in it could not be stored.
    """
    subject = entry.subject
    row = Row(
        at_us=to_us(entry.at),
        actor=entry.actor,
        collection=entry.collection,
        action=entry.action,
        subject=None if subject is None else pseudonym(key, entry.collection, subject),
        outcome=entry.outcome,
        details=json.dumps(
            dict(entry.details), sort_keys=True, separators=(",", ":"), allow_nan=False
        ),
        request_id=entry.request_id,
    )
    # A lone surrogate would be refused by the database, again with each attempt.
    for text in row:
        if isinstance(text, str):
            text.encode()
    return row


def pseudonym(key: DataKey, collection: str, identity: str) -> str:
    """What stands for an identity in the log, 64 hex digits."""
    return key.digest(b"identity\0" + collection.encode() + b"\0" + identity.encode())


def mac_of(key: DataKey, previous: str, number: int, row: tuple[Any, ...]) -> str | None:
    """The mac of a row; None if it holds what was never written."""
    try:
        return key.digest(b"row\0" + previous.encode() + _canonical((number, *row)))
    except (TypeError, ValueError, AttributeError):
        return None


def same(mac: str | None, stored: object) -> bool:
    return (
        mac is not None
        and isinstance(stored, str)
        and hmac.compare_digest(mac, stored.encode("ascii", "replace").decode())
    )


def parse_anchor(text: str) -> Anchor:
    """Raises AnchorError."""
    found = _ANCHOR.fullmatch(text.strip())
    if found is None:
        raise AnchorError("an anchor is COUNT:MAC, as `audit verify` prints it")
    return Anchor(int(found[1]), found[2])


def to_us(moment: datetime) -> int:
    """Microseconds since 1970; TypeError without a time zone."""
    return (moment - _EPOCH) // _MICROSECOND


def from_us(at_us: int) -> datetime:
    return _EPOCH + at_us * _MICROSECOND


def _canonical(values: tuple[Any, ...]) -> bytes:
    """One spelling for each tuple of numbers, texts and None, and no other's."""
    return json.dumps(values, separators=(",", ":")).encode()
