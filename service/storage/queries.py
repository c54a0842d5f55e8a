"""What the store asks and writes, one function each; none begins a transaction."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Insert,
    Row,
    Select,
    and_,
    func,
    insert,
    select,
)

from service.core.errors import UnknownIdentity, UnknownReference
from service.core.ports import (
    IdentitySummary,
    NewReference,
    Reference,
    StoredImage,
)
from service.core.secrecy import DataKey
from service.storage.revisions import new_revision
from service.storage.sealing import Details, Seal, image_digest
from service.storage.tables import face_references, identities, reference_images

NO_IDENTITY = "No such identity is enrolled."
NO_REFERENCE = "The identity has no such reference."

_REFERENCES = select(
    identities.c.name,
    face_references.c.reference_id,
    face_references.c.content_hash,
    face_references.c.embedding,
    face_references.c.details,
    face_references.c.fingerprint,
    face_references.c.quality,
    face_references.c.created_at,
    reference_images.c.id.is_not(None).label("has_image"),
).select_from(
    # Only the key of the picture is asked for, so its bytes are not read.
    face_references.join(identities).outerjoin(
        reference_images, reference_images.c.id == face_references.c.id
    )
)

_COUNT = (
    select(func.count())
    .select_from(face_references)
    .where(face_references.c.identity_id == identities.c.id)
    .scalar_subquery()
)

SUMMARIES: Select[Any] = select(
    identities.c.name, identities.c.created_at, _COUNT.label("references")
)


def stored_name(collection: str, identity: str) -> str:
    """What the name of an identity of a collection is stored as."""
    return f"{collection}/{identity}"


def own_name(stored: str) -> str:
    return stored.partition("/")[2]


def of_collection(collection: str) -> ColumnElement[bool]:
    """Whether an identity is of a collection; by the index on names."""
    # "0" comes next after "/".
    return and_(identities.c.name >= f"{collection}/", identities.c.name < f"{collection}0")


def to_summary(row: Row[Any]) -> IdentitySummary:
    return IdentitySummary(
        identity=own_name(row.name), references=row.references, created_at=row.created_at
    )


def _to_reference(row: Row[Any], key: DataKey) -> Reference:
    seal = Seal(key, row.name, row.reference_id)
    details = seal.opened_details(row.details)
    return Reference(
        reference_id=row.reference_id,
        content_hash=details.content_hash,
        embedding=seal.opened_embedding(row.embedding),
        fingerprint=row.fingerprint,
        quality=row.quality,
        filename=details.filename,
        created_at=row.created_at,
        has_image=row.has_image,
    )


@dataclass(frozen=True)
class Owner:
    """An identity as references belong to it.

    Attributes:
        number: Its internal id.
        name: As stored.
        key_id: Of its data key.
    """

    number: int
    name: str
    key_id: str


def find_identity(connection: Connection, name: str) -> Owner | None:
    """An identity by its stored name, or None."""
    row = connection.execute(
        select(identities.c.id, identities.c.data_key).where(identities.c.name == name)
    ).one_or_none()
    return None if row is None else Owner(row.id, name, row.data_key)


def require_identity(connection: Connection, name: str) -> Owner:
    """An identity by its stored name. Raises UnknownIdentity."""
    found = find_identity(connection, name)
    if found is None:
        raise UnknownIdentity(NO_IDENTITY)
    return found


def count_references(connection: Connection, owner: Owner) -> int:
    return connection.execute(
        select(func.count())
        .select_from(face_references)
        .where(face_references.c.identity_id == owner.number)
    ).scalar_one()


def references_of(connection: Connection, owner: Owner, key: DataKey) -> list[Reference]:
    """References of an identity, oldest first."""
    rows = connection.execute(
        _REFERENCES.where(identities.c.id == owner.number).order_by(face_references.c.id)
    )
    return [_to_reference(row, key) for row in rows]


def count_all(connection: Connection, collection: str) -> int:
    return connection.execute(
        select(func.count())
        .select_from(face_references.join(identities))
        .where(of_collection(collection))
    ).scalar_one()


def references_by_hash(
    connection: Connection, owner: Owner, key: DataKey, hashes: Collection[str]
) -> dict[str, Reference]:
    """Those references of an identity that are of one of these images, by its hash."""
    digests = [image_digest(key, content_hash) for content_hash in hashes]
    rows = connection.execute(
        _REFERENCES.where(
            face_references.c.identity_id == owner.number,
            face_references.c.content_hash.in_(digests),
        )
    )
    found = [_to_reference(row, key) for row in rows]
    return {reference.content_hash: reference for reference in found}


def insert_identity(connection: Connection, name: str, key_id: str, created_at: datetime) -> Owner:
    """Adds an identity under its stored name."""
    values = {
        "name": name,
        "created_at": created_at,
        "revision": new_revision(),
        "data_key": key_id,
    }
    return Owner(_insert(connection, insert(identities).values(values)), name, key_id)


def insert_reference(
    connection: Connection, owner: Owner, key: DataKey, new: NewReference, created_at: datetime
) -> Reference:
    """Adds a reference and, where one is kept, its picture."""
    reference_id = uuid.uuid4().hex
    seal = Seal(key, owner.name, reference_id)
    row_id = _insert(
        connection,
        insert(face_references).values(
            reference_id=reference_id,
            identity_id=owner.number,
            content_hash=image_digest(key, new.content_hash),
            embedding=seal.embedding(new.embedding),
            details=seal.details(Details(new.content_hash, new.landmarks, new.filename)),
            fingerprint=new.fingerprint,
            quality=new.quality,
            created_at=created_at,
        ),
    )
    if new.image is not None:
        connection.execute(
            insert(reference_images).values(
                id=row_id, media_type=new.image_type, data=seal.image(new.image)
            )
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


def read_image(
    connection: Connection, owner: Owner, key: DataKey, reference_id: str
) -> StoredImage | None:
    """The kept picture of a reference; None if none is kept. Raises UnknownReference."""
    row = connection.execute(
        select(face_references.c.details, reference_images.c.media_type, reference_images.c.data)
        .select_from(face_references.outerjoin(reference_images))
        .where(
            face_references.c.identity_id == owner.number,
            face_references.c.reference_id == reference_id,
        )
    ).one_or_none()
    if row is None:
        raise UnknownReference(NO_REFERENCE)
    if row.data is None:
        return None
    seal = Seal(key, owner.name, reference_id)
    landmarks = seal.opened_details(row.details).landmarks
    return StoredImage(seal.opened_image(row.data), row.media_type, landmarks)


def _insert(connection: Connection, statement: Insert) -> int:
    inserted = connection.execute(statement).inserted_primary_key
    assert inserted is not None  # one row with one integer key
    key: int = inserted[0]
    return key
