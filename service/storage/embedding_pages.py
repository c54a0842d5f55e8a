"""Embeddings of a collection, for searches: all of them, a page at a time, or those of some.

What is damaged is passed over: searches are on the way of everybody's enrolment, and
one bad row is the trouble of one identity alone. The log says so, once a row.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, Final

import numpy as np
from sqlalchemy import Column, Connection, Engine, Row, Select, func, select

from model.types import Array
from service.core.errors import DamagedData
from service.core.searchable import EmbeddingPage
from service.core.secrecy import DataKey
from service.storage.data_keys import DataKeys
from service.storage.faults import translated
from service.storage.queries import of_collection, own_name
from service.storage.sealing import Seal
from service.storage.tables import face_references, identities

_log = logging.getLogger(__name__)

_SHOWN: Final = 10
_AT_ONCE: Final = 500
"""Values of one question: SQLite takes so many."""

_Row = Row[Any]
_EMBEDDINGS = select(
    face_references.c.id,
    identities.c.name,
    identities.c.data_key,
    face_references.c.identity_id,
    face_references.c.reference_id,
    face_references.c.fingerprint,
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
            after, limit: As for `service.core.searchable.Searchable.embeddings`.
        """
        wanted = (
            _EMBEDDINGS.where(face_references.c.fingerprint == fingerprint)
            .where(face_references.c.id > after, of_collection(collection))
            .order_by(face_references.c.id)
            .limit(limit)
        )
        rows, page = self._read(wanted, collection, fingerprint)
        return replace(page, position=rows[-1].id if len(rows) == limit else None)

    def of(self, collection: str, fingerprint: str, owners: Sequence[int]) -> EmbeddingPage:
        """All of some identities, by their numbers."""
        return self._all(collection, fingerprint, face_references.c.identity_id, owners)

    def by_id(
        self, collection: str, fingerprint: str, reference_ids: Sequence[str]
    ) -> EmbeddingPage:
        """Those of some references, as far as there are any."""
        return self._all(collection, fingerprint, face_references.c.reference_id, reference_ids)

    def _all(
        self, collection: str, fingerprint: str, column: Column[Any], values: Sequence[object]
    ) -> EmbeddingPage:
        """Whose column has one of the values."""
        pages = []
        for at in range(0, len(values), _AT_ONCE):
            # Nothing else is asked for: SQLite would walk along an index of that instead.
            wanted = _EMBEDDINGS.where(column.in_(values[at : at + _AT_ONCE]))
            pages.append(self._read(wanted, collection, fingerprint)[1])
        rows = [page.embeddings for page in pages if len(page.embeddings)]
        return EmbeddingPage(
            identities=tuple(name for page in pages for name in page.identities),
            reference_ids=tuple(one for page in pages for one in page.reference_ids),
            owners=tuple(owner for page in pages for owner in page.owners),
            embeddings=np.concatenate(rows) if rows else np.empty((0, 0), np.float32),
        )

    def _read(
        self, wanted: Select[Any], collection: str, fingerprint: str
    ) -> tuple[list[_Row], EmbeddingPage]:
        """The rows of this collection and model, and what of them can be read."""
        with translated(), self._engine.begin() as connection:
            rows: list[_Row] = [
                row
                for row in connection.execute(wanted)
                if row.fingerprint == fingerprint and row.name.startswith(f"{collection}/")
            ]
            keys, unreadable = self._data_keys.readable({row.data_key for row in rows})
        opened: list[tuple[_Row, Array]] = []
        damaged = []
        for row in rows:
            # The key goes with its identity, and may have gone since the rows were read.
            embedding = _opened(row, keys[row.data_key]) if row.data_key in keys else None
            if embedding is not None:
                opened.append((row, embedding))
            elif row.data_key in keys or row.data_key in unreadable:
                damaged.append(row.id)
        self._tell(damaged)
        return rows, EmbeddingPage(
            identities=tuple(own_name(row.name) for row, _ in opened),
            reference_ids=tuple(row.reference_id for row, _ in opened),
            owners=tuple(row.identity_id for row, _ in opened),
            embeddings=np.stack([one for _, one in opened])
            if opened
            else np.empty((0, 0), np.float32),
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


def _opened(row: _Row, key: DataKey) -> Array | None:
    """None if it is damaged."""
    try:
        return Seal(key, row.name, row.reference_id).opened_embedding(row.embedding)
    except DamagedData:
        return None
