"""By which models the stored references are.

Each question is answered by the index on (fingerprint, id): none reads an embedding.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, func, select

from service.core.errors import ModelMismatch
from service.storage.faults import translated
from service.storage.queries import Owner
from service.storage.tables import face_references, identities

of_model = face_references.c.fingerprint


class SqlCensus:
    """`service.core.census.Census` over a migrated database; raises as `SqlStore` does."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def counts(self) -> dict[str, int]:
        statement = select(of_model, func.count()).group_by(of_model)
        with translated(), self._engine.begin() as connection:
            return {row[0]: row[1] for row in connection.execute(statement)}

    def identities(self) -> int:
        with translated(), self._engine.begin() as connection:
            return connection.scalar(select(func.count()).select_from(identities)) or 0

    def has(self, fingerprint: str) -> bool:
        statement = select(of_model).where(of_model == fingerprint).limit(1)
        with translated(), self._engine.begin() as connection:
            return connection.scalar(statement) is not None

    def other_than(self, fingerprint: str) -> str | None:
        # Two ranges of the index; "unequal" would walk through all of it.
        with translated(), self._engine.begin() as connection:
            for beside in (of_model < fingerprint, of_model > fingerprint):
                found = connection.scalar(select(of_model).where(beside).limit(1))
                if found is not None:
                    return str(found)
        return None


def require_model(connection: Connection, owner: Owner, fingerprint: str) -> None:
    """Raises ModelMismatch if an identity has a reference by another model than this."""
    other = connection.scalar(
        select(face_references.c.id)
        .where(face_references.c.identity_id == owner.number, of_model != fingerprint)
        .limit(1)
    )
    if other is not None:
        raise ModelMismatch("The identity has a reference by another model.")
