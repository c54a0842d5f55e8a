"""The audit log as plain values, for people and other programs.

Names are not in the log. A row is about an identity that is enrolled if the pseudonym
made of its name is the row's; of one that was erased, the pseudonym is all there is.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, func, select

from service.core.secrecy import DataKey
from service.storage.audit_chain import Row, from_us, pseudonym
from service.storage.audit_pages import rows_after
from service.storage.audit_tables import audit_log
from service.storage.faults import translated


@dataclass(frozen=True)
class Wanted:
    """Which rows to export; None for any.

    Attributes:
        identity: A name, also of one that is not enrolled any more.
        since, until: The first moment that counts, and the first that does not.
    """

    identity: str | None = None
    collection: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def exported(
    engine: Engine, key: DataKey, wanted: Wanted, enrolled: Iterable[tuple[str, str]]
) -> Iterator[dict[str, Any]]:
    """The rows that are wanted, the oldest first, each as content of a JSON object.

    Args:
        enrolled: Collection and name of each identity that may be named.

    Raises:
        NotReady: If the database cannot be read.
    """
    names = {pseudonym(key, place, name): name for place, name in enrolled}
    subjects = _subjects(engine, key, wanted)
    for number, *columns, mac in rows_after(engine, 0):
        row = Row(*columns)
        if _is_wanted(row, wanted, subjects):
            yield {"number": number, **_shown(row, names), "mac": mac}


def _is_wanted(row: Row, wanted: Wanted, subjects: set[str] | None) -> bool:
    if subjects is not None and row.subject not in subjects:
        return False
    if wanted.collection is not None and row.collection != wanted.collection:
        return False
    at = _moment(row)
    if at is None:  # changed from outside: shown whatever is asked for
        return True
    return (wanted.since or at) <= at and (wanted.until is None or at < wanted.until)


def _moment(row: Row) -> datetime | None:
    try:
        return from_us(row.at_us)
    except (TypeError, OverflowError):
        return None


def _details(row: Row) -> object:
    try:
        return json.loads(row.details)
    except (TypeError, ValueError):
        return row.details  # changed from outside: shown as it is


def _shown(row: Row, names: dict[str, str]) -> dict[str, Any]:
    at = _moment(row)
    return {
        "at": row.at_us if at is None else at.isoformat(),
        "actor": row.actor,
        "collection": row.collection,
        "action": row.action,
        "identity": names.get(row.subject or ""),
        "subject": row.subject,
        "outcome": row.outcome,
        "details": _details(row),
        "request_id": row.request_id,
    }


def _subjects(engine: Engine, key: DataKey, wanted: Wanted) -> set[str] | None:
    """The pseudonyms of the identity in each collection that the log knows."""
    if wanted.identity is None:
        return None
    with translated(), engine.begin() as connection:
        places = connection.scalars(select(func.distinct(audit_log.c.collection))).all()
    return {pseudonym(key, place, wanted.identity) for place in places}
