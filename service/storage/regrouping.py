"""Renaming an identity and merging two, each within a transaction that is under way.

What is stored of a reference is sealed together with the name of its identity
(`sealing.Seal`), so it is opened and sealed anew, here and nowhere else.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, delete, select, update
from sqlalchemy.exc import IntegrityError

from service.core.errors import DamagedData, IdentityExists, ModelMismatch, TooManyReferences
from service.core.ports import About
from service.core.secrecy import DataKey
from service.storage import people, queries
from service.storage.changes import note_change
from service.storage.data_keys import KEY_GONE, DataKeys
from service.storage.queries import Owner
from service.storage.revisions import new_revision, set_revision
from service.storage.sealing import Seal, image_digest
from service.storage.tables import face_references, identities, reference_images

_TAKEN = "Another identity has that name."
_REFERENCES = select(
    face_references.c.id,
    face_references.c.reference_id,
    face_references.c.embedding,
    face_references.c.details,
    face_references.c.fingerprint,
    reference_images.c.id.is_not(None).label("has_image"),
).select_from(face_references.outerjoin(reference_images))


def rename_identity(connection: Connection, keys: DataKeys, name: str, to: str) -> None:
    """As `service.core.regroup.Regrouping.rename`, by stored names."""
    owner = queries.require_identity(connection, name, to_change=True)
    if queries.find_identity(connection, to) is not None:
        raise IdentityExists(_TAKEN)
    key = _key_of(keys, owner)
    about = people.about(connection, owner, key)
    renamed = Owner(owner.number, to, owner.key_id)
    try:
        connection.execute(
            update(identities)
            .where(identities.c.id == owner.number)
            .values(name=to, revision=new_revision())
        )
    except IntegrityError as error:
        # Enrolled by another process since we looked.
        raise IdentityExists(_TAKEN) from error
    note_change(connection, owner.number)
    for row in _references_of(connection, owner):
        _sealed_anew(connection, row, (owner, key), (renamed, key))
    if about != About():
        people.describe(connection, renamed, key, about)


def merge_identities(
    connection: Connection, keys: DataKeys, name: str, into: str, *, limit: int
) -> tuple[Owner, int]:
    """As `service.core.regroup.Regrouping.merge`, by stored names.

    Returns:
        The identity that is gone, whose key is to be destroyed, and how many of its
        references were moved.
    """
    # In one order, whichever goes into which, or two that cross would wait for each other.
    locked = {
        one: queries.require_identity(connection, one, to_change=True)
        for one in sorted((name, into))
    }
    source, target = locked[name], locked[into]
    source_key, target_key = _key_of(keys, source), _key_of(keys, target)
    rows, there = _references_of(connection, source), _references_of(connection, target)
    _check_models((*rows, *there))
    known = {_hash(row, target, target_key) for row in there}
    moved = [row for row in rows if _hash(row, source, source_key) not in known]
    if moved and len(there) + len(moved) > limit:
        raise TooManyReferences(f"An identity may have {limit} references, not more.")
    for row in moved:
        _sealed_anew(connection, row, (source, source_key), (target, target_key))
    if people.about(connection, target, target_key) == About():
        said = people.about(connection, source, source_key)
        if said != About():
            people.describe(connection, target, target_key, said)
    _carry_standing(connection, source, target)
    set_revision(connection, target.number)
    # With what was not moved.
    connection.execute(delete(identities).where(identities.c.id == source.number))
    note_change(connection, source.number)
    return source, len(moved)


def _key_of(keys: DataKeys, owner: Owner) -> DataKey:
    key = keys.key(owner.key_id)
    if key is None:
        raise DamagedData(KEY_GONE)
    return key


def _references_of(connection: Connection, owner: Owner) -> list[Row[Any]]:
    wanted = _REFERENCES.where(face_references.c.identity_id == owner.number)
    return list(connection.execute(wanted.order_by(face_references.c.id)))


def _hash(row: Row[Any], owner: Owner, key: DataKey) -> str:
    """What the picture's pixels have for a hash, the same whoever has it."""
    return Seal(key, owner.name, row.reference_id).opened_details(row.details).content_hash


def _check_models(rows: tuple[Row[Any], ...]) -> None:
    several = len({row.fingerprint for row in rows}) > 1
    if several and not all(row.has_image for row in rows):
        raise ModelMismatch("They are by several models, and not all pictures are kept.")


def _sealed_anew(
    connection: Connection, row: Row[Any], by: tuple[Owner, DataKey], to: tuple[Owner, DataKey]
) -> None:
    """Hands a reference, with its picture, from one identity, or name, to another."""
    (old, old_key), (new, new_key) = by, to
    opened = Seal(old_key, old.name, row.reference_id)
    sealed = Seal(new_key, new.name, row.reference_id)
    details = opened.opened_details(row.details)
    connection.execute(
        update(face_references)
        .where(face_references.c.id == row.id)
        .values(
            identity_id=new.number,
            content_hash=image_digest(new_key, details.content_hash),
            embedding=sealed.embedding(opened.opened_embedding(row.embedding)),
            details=sealed.details(details),
        )
    )
    # One picture at a time is in memory.
    named = reference_images.c.id == row.id
    data = connection.scalar(select(reference_images.c.data).where(named))
    if data is not None:
        again = sealed.image(opened.opened_image(data))
        connection.execute(update(reference_images).where(named).values(data=again))


def _carry_standing(connection: Connection, source: Owner, target: Owner) -> None:
    columns = (identities.c.failures, identities.c.failed_at, identities.c.used_at)
    wanted = select(*columns).where(identities.c.id.in_([source.number, target.number]))
    rows = connection.execute(wanted).all()
    connection.execute(
        update(identities)
        .where(identities.c.id == target.number)
        .values(
            failures=max(row.failures for row in rows),
            failed_at=max((row.failed_at for row in rows if row.failed_at), default=None),
            used_at=max((row.used_at for row in rows if row.used_at), default=None),
        )
    )
