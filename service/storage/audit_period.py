"""The audit log between two moments, for what is summed up of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any, Final

from sqlalchemy import Engine, select

from service.core.period import Event
from service.storage.audit_tables import audit_log
from service.storage.faults import translated
from service.storage.postgres import reading_engine

_SIZE: Final = 5000


def events_between(
    engine: Engine, since_us: int, until_us: int, actions: Collection[str]
) -> Iterator[Event]:
    """Entries of these actions, page by page; that they are genuine is not checked.

    Args:
        since_us, until_us: The first moment that counts, and the first that does not;
            microseconds since 1970, UTC.

    Raises:
        NotReady: If the database cannot be read.
    """
    number = 0
    wanted = (
        select(
            *(audit_log.c.number, audit_log.c.at_us, audit_log.c.action),
            *(audit_log.c.outcome, audit_log.c.details),
        )
        .where(audit_log.c.at_us >= since_us, audit_log.c.at_us < until_us)
        .where(audit_log.c.action.in_(actions))
        .order_by(audit_log.c.number)
        .limit(_SIZE)
    )
    while True:
        with translated(), reading_engine(engine).begin() as connection:
            rows = connection.execute(wanted.where(audit_log.c.number > number)).all()
        for row in rows:
            yield Event(row.at_us, row.action, row.outcome, _details(row.details))
        if len(rows) < _SIZE:
            return
        number = rows[-1].number


def _details(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (TypeError, ValueError):
        return {}  # changed from outside
    return found if isinstance(found, dict) else {}
