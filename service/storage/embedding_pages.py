"""The embeddings of a whole collection, a page at a time, for the search for conflicts.

What is damaged is passed over: the search is on the way of everybody's enrolment, and
one bad row is the trouble of one identity alone. The log says so, once a row.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from itertools import islice
from typing import Final

import numpy as np
from sqlalchemy import Connection, Engine, Row, func, select

from model.types import Array
from service.core.errors import DamagedData
from service.core.ports import EmbeddingPage
from service.core.secrecy import DataKey
from service.storage.data_keys import DataKeys
from service.storage.faults import translated
from service.storage.queries import of_collection, own_name
from service.storage.sealing import Seal
from service.storage.tables import face_references, identities

_log = logging.getLogger(__name__)

_SHOWN: Final = 10
_EMBEDDINGS = select(
    face_references.c.id,
    identities.c.name,
    identities.c.data_key,
    face_references.c.reference_id,
    face_references.c.embedding,
).join_from(face_references, identities)


def count_all(connection: Connection, collection: str, at_most: int | None) -> int:
    some = (
        select(face_references.c.id)
        .join_from(face_references, identities)
        .where(of_collection(collection))
        .limit(at_most)
    )
    return connection.execute(select(func.count()).select_from(some.subquery())).scalar_one()


class EmbeddingPages:
    """Reads pages; any thread may use it."""

    def __init__(self, engine: Engine, data_keys: DataKeys) -> None:
        self._engine, self._data_keys = engine, data_keys
        self._told: set[int] = set()

    def after(self, collection: str, fingerprint: str, *, after: int, limit: int) -> EmbeddingPage:
        """A page of a collection's embeddings of one model, in order of enrolment.

        Args:
            after, limit: As for `service.core.ports.Store.embeddings`.
        """
        with translated(), self._engine.begin() as connection:
            rows = _rows(connection, collection, fingerprint, after, limit)
            keys, unreadable = self._data_keys.readable({row.data_key for row in rows})
        opened: list[tuple[str, str, Array]] = []
        damaged = []
        for row in rows:
            # The key goes with its identity, and may have gone since the rows were read.
            embedding = _opened(row, keys[row.data_key]) if row.data_key in keys else None
            if embedding is not None:
                opened.append((own_name(row.name), row.reference_id, embedding))
            elif row.data_key in keys or row.data_key in unreadable:
                damaged.append(row.id)
        self._tell(damaged)
        return EmbeddingPage(
            identities=tuple(name for name, _, _ in opened),
            reference_ids=tuple(reference_id for _, reference_id, _ in opened),
            embeddings=np.stack([one for _, _, one in opened])
            if opened
            else np.empty((0, 0), np.float32),
            position=rows[-1].id if len(rows) == limit else None,
        )

    def _tell(self, damaged: Collection[int]) -> None:
        fresh = [number for number in damaged if number not in self._told]
        if fresh:
            self._told.update(fresh)
            _log.error(
                "%d stored references cannot be read, and no new picture is compared with them: "
                "rows %s of face_references",
                len(fresh),
                ", ".join(map(str, islice(fresh, _SHOWN))) + (", ..." if fresh[_SHOWN:] else ""),
            )


def _rows(
    connection: Connection, collection: str, fingerprint: str, after: int, limit: int
) -> list[Row[tuple[int, str, str, str, bytes]]]:
    wanted = (
        face_references.c.fingerprint == fingerprint,
        face_references.c.id > after,
        of_collection(collection),
    )
    statement = _EMBEDDINGS.where(*wanted).order_by(face_references.c.id).limit(limit)
    return list(connection.execute(statement))


def _opened(row: Row[tuple[int, str, str, str, bytes]], key: DataKey) -> Array | None:
    """None if it is damaged."""
    try:
        return Seal(key, row.name, row.reference_id).opened_embedding(row.embedding)
    except DamagedData:
        return None
