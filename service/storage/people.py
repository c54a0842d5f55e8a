"""What is known of identities besides their references: said about them, and their age."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import Connection, and_, func, or_, select, update

from service.core.errors import UnknownReference
from service.core.ports import About
from service.core.secrecy import DataKey
from service.storage.queries import Owner, check_reference_id, of_collection, own_name
from service.storage.tables import face_references, identities


def describe(connection: Connection, owner: Owner, key: DataKey, about: About) -> None:
    """Replaces what was said about an identity."""
    content = json.dumps({"consent": about.consent, "metadata": dict(about.metadata)})
    connection.execute(
        update(identities)
        .where(identities.c.id == owner.number)
        .values(details=key.seal(content.encode(), sealed_as(owner.name)))
    )


def about(connection: Connection, owner: Owner, key: DataKey) -> About:
    sealed = connection.scalar(select(identities.c.details).where(identities.c.id == owner.number))
    if sealed is None:
        return About()
    content = json.loads(key.open(sealed, sealed_as(owner.name)))
    return About(content["consent"], content["metadata"])


def owner_of(connection: Connection, collection: str, reference_id: str) -> str:
    """The own name of the identity that has a reference. Raises UnknownReference."""
    name = connection.scalar(
        select(identities.c.name)
        .join_from(face_references, identities)
        .where(
            face_references.c.reference_id == check_reference_id(reference_id),
            of_collection(collection),
        )
    )
    if name is None:
        raise UnknownReference("There is no such reference.")
    return own_name(name)


def collections(connection: Connection) -> list[str]:
    """All that have an identity: one look at the index for each."""
    found: list[str] = []
    after = ""
    while True:
        name = connection.scalar(
            select(func.min(identities.c.name)).where(identities.c.name > after)
        )
        if name is None:
            return sorted(found)
        found.append(name.partition("/")[0])
        # "0" comes next after "/".
        after = f"{found[-1]}0"


def expired(
    connection: Connection,
    collection: str,
    enrolled_before: datetime | None,
    used_before: datetime | None,
    limit: int,
) -> list[str]:
    """Own names of identities whose latest reference is older, or that were not used since."""
    latest = (
        select(func.max(face_references.c.created_at))
        .where(face_references.c.identity_id == identities.c.id)
        .scalar_subquery()
    )
    reasons = []
    if enrolled_before is not None:
        reasons.append(latest < enrolled_before)
    if used_before is not None:
        unused = or_(identities.c.used_at.is_(None), identities.c.used_at < used_before.timestamp())
        reasons.append(and_(latest < used_before, unused))
    if not reasons:
        return []
    wanted = (
        select(identities.c.name)
        .where(of_collection(collection), or_(*reasons))
        .order_by(identities.c.name)
        .limit(limit)
    )
    return [own_name(row.name) for row in connection.execute(wanted)]


def sealed_as(name: str) -> bytes:
    """With what goes what was said about an identity, given its stored name."""
    return f"{name}\0about".encode()
