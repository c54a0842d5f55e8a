"""The revision of an identity: which state its references are in.

Whoever changes references sets a new one in the same transaction, so a reader
sees either both or neither. It is drawn at random out of 2^63: nobody keeps
count, and an identity that is deleted and enrolled again does not begin anew.
"""

from __future__ import annotations

import secrets
from typing import Final

from sqlalchemy import Connection, Engine, select, update

from service.storage.changes import note_change
from service.storage.row_query import RowQuery
from service.storage.tables import identities

_BITS: Final = 63
"""What a signed column of 64 bits holds."""


def new_revision() -> int:
    """A revision that no state has had before."""
    return secrets.randbits(_BITS)


def set_revision(connection: Connection, owner: int) -> None:
    """Gives an identity a new revision; takes part in the transaction that changes it.

    Indexes in memory are told, too.
    """
    connection.execute(
        update(identities).where(identities.c.id == owner).values(revision=new_revision())
    )
    note_change(connection, owner)


class RevisionQuery:
    """Asks for the revision of one identity. Asked on every verification."""

    def __init__(self, engine: Engine) -> None:
        self._row = RowQuery(engine, select(identities.c.revision), identities.c.name)

    def __call__(self, name: str) -> int | None:
        """The revision, or None if there is no such identity; raises as `RowQuery`."""
        row = self._row(name)
        return None if row is None else int(row[0])
