"""What the store asks and writes, one function each; none begins a transaction."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Insert,
    LargeBinary,
    Row,
    Select,
    func,
    insert,
    select,
    type_coerce,
)

from service.core.errors import UnknownIdentity
from service.core.ports import EmbeddingPage, IdentitySummary, NewReference, Reference
from service.storage.column_types import float32_rows
from service.storage.revisions import new_revision
from service.storage.tables import face_references, identities, reference_images

NO_IDENTITY = "No such identity is enrolled."
NO_REFERENCE = "The identity has no such reference."

_REFERENCES = select(
    face_references.c.reference_id,
    face_references.c.content_hash,
    face_references.c.embedding,
    face_references.c.fingerprint,
    face_references.c.quality,
    face_references.c.filename,
    face_references.c.created_at,
    reference_images.c.id.is_not(None).label("has_image"),
).select_from(
    # Only the key of the picture is asked for, so its bytes are not read.
    face_references.outerjoin(reference_images, reference_images.c.id == face_references.c.id)
)

_EMBEDDINGS = select(
    face_references.c.id,
    identities.c.name,
    face_references.c.reference_id,
    # As bytes: a whole page becomes one array at once.
    type_coerce(face_references.c.embedding, LargeBinary).label("embedding"),
).join_from(face_references, identities)

_COUNT = (
    select(func.count())
    .select_from(face_references)
    .where(face_references.c.identity_id == identities.c.id)
    .scalar_subquery()
)

SUMMARIES: Select[Any] = select(
    identities.c.name, identities.c.created_at, _COUNT.label("references")
)


def to_summary(row: Row[Any]) -> IdentitySummary:
    return IdentitySummary(identity=row.name, references=row.references, created_at=row.created_at)


def _to_reference(row: Row[Any]) -> Reference:
    return Reference(
        reference_id=row.reference_id,
        content_hash=row.content_hash,
        embedding=row.embedding,
        fingerprint=row.fingerprint,
        quality=row.quality,
        filename=row.filename,
        created_at=row.created_at,
        has_image=row.has_image,
    )


def find_identity(connection: Connection, name: str) -> int | None:
    """Internal id of an identity, or None."""
    found: int | None = connection.scalar(select(identities.c.id).where(identities.c.name == name))
    return found


def require_identity(connection: Connection, name: str) -> int:
    """Internal id of an identity. Raises UnknownIdentity."""
    found = find_identity(connection, name)
    if found is None:
        raise UnknownIdentity(NO_IDENTITY)
    return found


def count_references(connection: Connection, owner: int) -> int:
    return connection.execute(
        select(func.count())
        .select_from(face_references)
        .where(face_references.c.identity_id == owner)
    ).scalar_one()


def references_of(connection: Connection, name: str) -> list[Reference]:
    """References of an identity, oldest first; empty when there is no such identity."""
    rows = connection.execute(
        _REFERENCES.join(identities, identities.c.id == face_references.c.identity_id)
        .where(identities.c.name == name)
        .order_by(face_references.c.id)
    )
    return [_to_reference(row) for row in rows]


def count_all(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(face_references)).scalar_one()


def embeddings_after(
    connection: Connection, fingerprint: str, after: int, limit: int
) -> EmbeddingPage:
    """A page of the embeddings of one model, in order of enrolment."""
    rows = connection.execute(
        _EMBEDDINGS.where(
            face_references.c.fingerprint == fingerprint, face_references.c.id > after
        )
        .order_by(face_references.c.id)
        .limit(limit)
    ).all()
    numbers, names, reference_ids, embeddings = zip(*rows, strict=True) if rows else ((),) * 4
    return EmbeddingPage(
        identities=tuple(names),
        reference_ids=tuple(reference_ids),
        embeddings=float32_rows(embeddings),
        position=numbers[-1] if len(rows) == limit else None,
    )


def references_by_hash(
    connection: Connection, owner: int, hashes: Collection[str]
) -> dict[str, Reference]:
    """Those references of an identity that are of one of these images, by its hash."""
    rows = connection.execute(
        _REFERENCES.where(
            face_references.c.identity_id == owner, face_references.c.content_hash.in_(hashes)
        )
    )
    return {row.content_hash: _to_reference(row) for row in rows}


def insert_identity(connection: Connection, name: str, created_at: datetime) -> int:
    """Adds an identity; answers its internal id."""
    values = {"name": name, "created_at": created_at, "revision": new_revision()}
    return _insert(connection, insert(identities).values(values))


def insert_reference(
    connection: Connection, owner: int, new: NewReference, created_at: datetime
) -> Reference:
    """Adds a reference and, where one is kept, its picture."""
    reference_id = uuid.uuid4().hex
    row_id = _insert(
        connection,
        insert(face_references).values(
            reference_id=reference_id,
            identity_id=owner,
            content_hash=new.content_hash,
            embedding=new.embedding,
            fingerprint=new.fingerprint,
            landmarks=new.landmarks,
            quality=new.quality,
            filename=new.filename,
            created_at=created_at,
        ),
    )
    if new.image is not None:
        connection.execute(
            insert(reference_images).values(id=row_id, media_type=new.image_type, data=new.image)
        )
    return Reference(
        reference_id=reference_id,
        content_hash=new.content_hash,
        embedding=new.embedding.copy(),
        fingerprint=new.fingerprint,
        quality=new.quality,
        filename=new.filename,
        created_at=created_at,
        has_image=new.image is not None,
    )


def _insert(connection: Connection, statement: Insert) -> int:
    inserted = connection.execute(statement).inserted_primary_key
    assert inserted is not None  # one row with one integer key
    key: int = inserted[0]
    return key
