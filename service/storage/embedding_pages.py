"""The embeddings of a whole collection, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from sqlalchemy import Connection, func, select

from service.core.ports import EmbeddingPage
from service.core.secrecy import DataKey
from service.storage.queries import of_collection, own_name
from service.storage.sealing import Seal
from service.storage.tables import face_references, identities

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


def embeddings_after(
    connection: Connection,
    collection: str,
    fingerprint: str,
    *,
    after: int,
    limit: int,
    keys_of: Callable[[set[str]], Mapping[str, DataKey]],
) -> EmbeddingPage:
    """A page of a collection's embeddings of one model, in order of enrolment.

    Args:
        keys_of: Data keys by their ids.
    """
    rows = connection.execute(
        _EMBEDDINGS.where(
            face_references.c.fingerprint == fingerprint,
            face_references.c.id > after,
            of_collection(collection),
        )
        .order_by(face_references.c.id)
        .limit(limit)
    ).all()
    keys = keys_of({row.data_key for row in rows})
    # The key goes with its identity, and may have gone since the rows were read.
    position = rows[-1].id if len(rows) == limit else None
    rows = [row for row in rows if row.data_key in keys]
    opened = [
        Seal(keys[row.data_key], row.name, row.reference_id).opened_embedding(row.embedding)
        for row in rows
    ]
    return EmbeddingPage(
        identities=tuple(own_name(row.name) for row in rows),
        reference_ids=tuple(row.reference_id for row in rows),
        embeddings=np.stack(opened) if opened else np.empty((0, 0), np.float32),
        position=position,
    )
