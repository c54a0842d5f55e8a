"""How verifications of an identity went, kept beside it."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, select, update

from service.core.ports import Standing
from service.storage.row_query import RowQuery
from service.storage.tables import identities


class StandingQuery:
    """Asks for the standing of one identity. Asked on every verification."""

    def __init__(self, engine: Engine) -> None:
        columns = select(identities.c.failures, identities.c.failed_at, identities.c.used_at)
        self._row = RowQuery(engine, columns, identities.c.name)

    def __call__(self, name: str) -> Standing | None:
        """None if there is no such identity; raises as `RowQuery`."""
        row = self._row(name)
        return None if row is None else Standing(row[0], _moment(row[1]), _moment(row[2]))


def count_failure(connection: Connection, owner: int) -> int:
    """One more; answers how many there are."""
    connection.execute(
        update(identities)
        .where(identities.c.id == owner)
        .values(failures=identities.c.failures + 1, failed_at=time.time())
    )
    found = connection.execute(select(identities.c.failures).where(identities.c.id == owner))
    return int(found.scalar_one())


def redate_failure(connection: Connection, owner: int) -> None:
    """The latest failure was now, if there is any."""
    connection.execute(
        update(identities)
        .where(identities.c.id == owner, identities.c.failed_at.is_not(None))
        .values(failed_at=time.time())
    )


def clear_failures(connection: Connection, owner: int, *, used: bool) -> None:
    values: dict[str, object] = {"failures": 0, "failed_at": None}
    if used:
        values["used_at"] = time.time()
    connection.execute(update(identities).where(identities.c.id == owner).values(values))


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
