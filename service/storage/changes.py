"""Which identities have changed, in the order in which that was written down.

    gallery_changes    one row a change: the number of the identity, nothing of the person

Whoever changes an identity's references, its name or their embeddings, or deletes it,
adds a row in the same transaction. An index in some process's memory reads what is new
since it last looked.

SQLite's writers follow each other, so a row's number tells what is new. In PostgreSQL a
transaction may end later than one that began after it and took a higher number. There
each row has its transaction's id, and everything from the horizon on is read: the lowest
id that was not over when the reader last looked. A row may be read twice, none is missed.
"""

from __future__ import annotations

import time
from typing import Any, Final

from sqlalchemy import BigInteger, Connection, Text, cast, delete, func, insert, literal, select

from service.core.searchable import Changes, Mark
from service.storage.postgres import is_postgres
from service.storage.tables import gallery_changes

KEPT_S: Final = 86_400
"""How long a row is kept; who has not looked for so long reads everything anew."""

_CLOCKS_DIFFER_S: Final = 3600.0
_NUMBER = gallery_changes.c.number


def note_change(connection: Connection, owner: int) -> None:
    """Takes part in the transaction that changes this identity, or deletes it."""
    writer: Any = literal(0)
    if is_postgres(connection):
        writer = cast(cast(func.pg_current_xact_id(), Text), BigInteger)
    connection.execute(
        insert(gallery_changes).values(identity_id=owner, at=time.time(), writer=writer)
    )


def changes(connection: Connection, since: Mark | None) -> Changes:
    """As `service.core.searchable.Searchable.changes`, of all collections."""
    number, horizon = connection.execute(
        select(func.coalesce(func.max(_NUMBER), 0), _horizon(connection))
    ).one()
    mark = Mark(number, horizon, time.time())
    if since is None:
        return Changes((), whole=True, mark=mark)
    # Half of the time, since clocks of several machines differ and may be set.
    if not 0 <= mark.at - since.at + _CLOCKS_DIFFER_S < KEPT_S / 2:
        return Changes((), whole=False, mark=mark)
    wanted = select(gallery_changes.c.identity_id).distinct()
    if is_postgres(connection):
        wanted = wanted.where(gallery_changes.c.writer >= since.horizon)
    else:
        wanted = wanted.where(gallery_changes.c.number > since.number)
    return Changes(tuple(connection.scalars(wanted)), whole=True, mark=mark)


def forget_changes(connection: Connection, *, kept_s: float = KEPT_S) -> int:
    """Deletes rows that are older, but the newest of all; answers how many."""
    # The newest row stays, so that numbers only grow.
    newest = select(func.max(_NUMBER)).scalar_subquery()
    gone = connection.execute(
        delete(gallery_changes).where(gallery_changes.c.at < time.time() - kept_s, newest > _NUMBER)
    )
    return gone.rowcount


def _horizon(connection: Connection) -> Any:
    if not is_postgres(connection):
        return literal(0)
    xmin = func.pg_snapshot_xmin(func.pg_current_snapshot())
    return cast(cast(xmin, Text), BigInteger)
