"""Reading and writing of the audit log's rows; each takes part in a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from service.core.errors import DamagedData
from service.core.secrecy import DataKey
from service.storage.audit_chain import Anchor, Head, Row, mac_of, same
from service.storage.audit_tables import HEAD_ID, audit_head, audit_log
from service.storage.postgres import is_postgres

DAMAGED: Final = "the audit log was changed from outside; `audit verify` says where"
_COLUMNS: Final = tuple(column.name for column in audit_log.columns)
_HEAD = select(
    audit_head.c.base_count,
    audit_head.c.base_mac,
    audit_head.c.count,
    audit_head.c.mac,
    audit_head.c.seal,
).where(audit_head.c.id == HEAD_ID)


def stored_head(connection: Connection, *, to_write: bool = False) -> tuple[Head, object] | None:
    """The head and its seal, which may not fit it; None if nothing was ever written.

    Args:
        to_write: Lets nobody else append until the transaction ends.
    """
    # SQLite locks as a whole when a transaction that writes begins.
    row = connection.execute(_HEAD.with_for_update() if to_write else _HEAD).one_or_none()
    if row is None:
        return None
    base_count, base_mac, count, mac, seal = row
    return Head(Anchor(base_count, base_mac), Anchor(count, mac)), seal


def is_sealed(key: DataKey, head: Head, seal: object) -> bool:
    """Whether we wrote this head, some time."""
    try:
        return same(head.seal(key), seal)
    except TypeError:  # it holds what cannot be sealed
        return False


def append(connection: Connection, key: DataKey, rows: Sequence[Row]) -> Anchor:
    """Adds rows at the end of the chain; answers the new end.

    Raises:
        DamagedData: If the head is not as we left it, or a row is where the next one
            belongs. To write on would cover what was done to the log.
    """
    found = stored_head(connection, to_write=True)
    if found is None and is_postgres(connection):
        # There is no row yet that one could lock.
        connection.execute(text("LOCK TABLE audit_head IN SHARE ROW EXCLUSIVE MODE"))
        found = stored_head(connection, to_write=True)
    if found is None and connection.scalar(select(func.count()).select_from(audit_log)):
        raise DamagedData(DAMAGED)
    if found is not None and not is_sealed(key, *found):
        raise DamagedData(DAMAGED)
    head = Head() if found is None else found[0]
    number, mac = head.last
    values: list[dict[str, Any]] = []
    for row in rows:
        number += 1
        made = mac_of(key, mac, number, row)
        assert made is not None
        mac = made
        values.append(dict(zip(_COLUMNS, (number, *row, mac), strict=True)))
    try:
        connection.execute(insert(audit_log), values)
    except IntegrityError as error:
        raise DamagedData(DAMAGED) from error
    moved = Head(head.base, Anchor(number, mac))
    if found is None:
        connection.execute(insert(audit_head).values(id=HEAD_ID, **moved.values(key)))
    else:
        _set_head(connection, key, moved)
    return moved.last


def prune(connection: Connection, key: DataKey, before_us: int, about: Row) -> int:
    """Deletes rows from the beginning up to the first that is not older.

    The head keeps the mac of the last one that went, so that the rest is still a
    chain. An entry about it is appended first, so there is always a last row.

    Args:
        before_us: Microseconds since 1970.

    Returns:
        How many rows went.

    Raises:
        DamagedData: As `append`.
    """
    last = append(connection, key, [about])
    found = stored_head(connection)
    assert found is not None
    first_kept = connection.scalar(
        select(func.min(audit_log.c.number)).where(
            (audit_log.c.at_us >= before_us) | (audit_log.c.number == last.number)
        )
    )
    base = connection.execute(
        select(audit_log.c.number, audit_log.c.mac).where(audit_log.c.number == first_kept - 1)
    ).one_or_none()
    if base is None:
        return 0
    _set_head(connection, key, Head(Anchor(*base), last))
    gone = connection.execute(delete(audit_log).where(audit_log.c.number <= base.number))
    return gone.rowcount


def _set_head(connection: Connection, key: DataKey, head: Head) -> None:
    connection.execute(
        update(audit_head).where(audit_head.c.id == HEAD_ID).values(**head.values(key))
    )
