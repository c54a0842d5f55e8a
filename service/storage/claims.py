"""What one batch of `reembedding` asks and writes; nothing here begins a transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, bindparam, exists, select, update

from service.core.errors import DamagedData
from service.core.secrecy import DataKey
from service.storage import queries
from service.storage.data_keys import DataKeys
from service.storage.revisions import set_revision
from service.storage.tables import face_references, identities, reference_images


@dataclass(frozen=True)
class Claim:
    """An identity whose references are to be embedded again, as it was read.

    Attributes:
        place: Of its first reference by another model.
        key: None if it is gone or cannot be opened.
        references: Number and id of each that is by another model, oldest first.
    """

    place: int
    owner: queries.Owner
    revision: int
    key: DataKey | None
    references: tuple[tuple[int, str], ...]


def is_old(fingerprint: str) -> ColumnElement[bool]:
    """Whether a reference is by another model than this."""
    return face_references.c.fingerprint != fingerprint


def claim(
    connection: Connection,
    keys: DataKeys,
    fingerprint: str,
    old: Sequence[str],
    *,
    after: int,
    until: int | None,
    limit: int,
) -> list[Claim]:
    """Identities with a reference by another model, all pictures of those kept.

    In order of the first such reference, which is locked, where the database locks rows;
    what others have locked is passed over.

    Args:
        fingerprint: Of the model that all are to be by.
        old: Of the others.
        after, until: Places of references between which to look; None for no end.
    """
    other = face_references.alias()
    of_same = (
        other.c.identity_id == face_references.c.identity_id,
        other.c.fingerprint != fingerprint,
    )
    earlier = exists().where(*of_same, other.c.id < face_references.c.id)
    without_picture = (
        exists()
        .select_from(other.outerjoin(reference_images, reference_images.c.id == other.c.id))
        .where(*of_same, reference_images.c.id.is_(None))
    )
    statement = (
        select(
            face_references.c.id.label("place"),
            identities.c.id,
            identities.c.name,
            identities.c.data_key,
            identities.c.revision,
        )
        .join_from(face_references, identities)
        # Named one by one, so that the index on (fingerprint, id) is walked along.
        .where(face_references.c.fingerprint.in_(old), face_references.c.id > after)
        .where(~earlier, ~without_picture)
        .order_by(face_references.c.id)
        .limit(limit)
        # The references, not the identities: verifications write to those.
        .with_for_update(skip_locked=True, of=face_references)
    )
    if until is not None:
        statement = statement.where(face_references.c.id <= until)
    rows = connection.execute(statement).all()
    if not rows:
        return []
    references: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for number, reference_id, owner in connection.execute(
        select(face_references.c.id, face_references.c.reference_id, face_references.c.identity_id)
        .where(face_references.c.identity_id.in_([row.id for row in rows]), is_old(fingerprint))
        .order_by(face_references.c.id)
    ):
        references[owner].append((number, reference_id))
    opened = _keys(keys, {row.data_key for row in rows})
    return [
        Claim(
            place=row.place,
            owner=queries.Owner(row.id, row.name, row.data_key),
            revision=row.revision,
            key=opened.get(row.data_key),
            references=tuple(references[row.id]),
        )
        for row in rows
    ]


def unchanged(connection: Connection, claims: Iterable[Claim]) -> list[Claim]:
    """Those whose identity is as it was read; locked until the transaction ends.

    One that somebody else has locked is not waited for, and not among them: who deletes
    it waits for us.
    """
    wanted = {one.owner.number: one for one in claims}
    rows = connection.execute(
        select(identities.c.id, identities.c.revision)
        .where(identities.c.id.in_(wanted))
        .with_for_update(skip_locked=True, key_share=True)
    )
    return [wanted[row.id] for row in rows if wanted[row.id].revision == row.revision]


def flip(connection: Connection, fingerprint: str, one: Claim, embeddings: Sequence[bytes]) -> None:
    """Writes the sealed embeddings of all its references, and a new revision."""
    connection.execute(
        update(face_references)
        .where(face_references.c.id == bindparam("number"))
        .values(embedding=bindparam("sealed"), fingerprint=fingerprint),
        [
            {"number": number, "sealed": sealed}
            for (number, _), sealed in zip(one.references, embeddings, strict=True)
        ],
    )
    set_revision(connection, one.owner.number)


def _keys(keys: DataKeys, key_ids: set[str]) -> Mapping[str, DataKey]:
    """Those that can be opened: one that was damaged keeps nobody else from being done."""
    try:
        return keys.keys(key_ids)
    except DamagedData:
        if len(key_ids) == 1:
            return {}
        return {name: key for one in key_ids for name, key in _keys(keys, {one}).items()}
