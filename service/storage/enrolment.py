"""Adding references to an identity: one transaction, all or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection

from service.core.errors import DamagedData, TooManyReferences
from service.core.ports import About, Enrolled, NewReference
from service.core.secrecy import DataKey
from service.storage import people, queries
from service.storage.census import require_model
from service.storage.data_keys import KEY_GONE, DataKeys, new_key_id
from service.storage.revisions import set_revision


def add_references(
    connection: Connection,
    keys: DataKeys,
    name: str,
    references: Sequence[NewReference],
    *,
    limit: int,
    about: About | None,
    one_model: bool,
) -> list[Enrolled]:
    """As `service.core.ports.Store.enrol`, for an identity by its stored name."""
    created_at = datetime.now(UTC)
    owner, key = _owner(connection, keys, name, created_at)
    if one_model:
        require_model(connection, owner, references[0].fingerprint)
    hashes = {new.content_hash for new in references}
    stored = queries.references_by_hash(connection, owner, key, hashes)
    fresh = len(hashes) - len(stored)
    if fresh and queries.count_references(connection, owner) + fresh > limit:
        raise TooManyReferences(f"An identity may have {limit} references, not more.")
    if fresh:
        set_revision(connection, owner.number)
    enrolled = []
    for new in references:
        duplicate = new.content_hash in stored
        if not duplicate:
            stored[new.content_hash] = queries.insert_reference(
                connection, owner, key, new, created_at
            )
        enrolled.append(Enrolled(stored[new.content_hash], duplicate))
    if about is not None:
        people.describe(connection, owner, key, about)
    return enrolled


def _owner(
    connection: Connection, keys: DataKeys, name: str, created_at: datetime
) -> tuple[queries.Owner, DataKey]:
    """The identity, made if it is new, and its key; nobody else changes it meanwhile."""
    while True:
        owner = queries.find_identity(connection, name, to_change=True)
        if owner is not None:
            key = keys.key(owner.key_id)
            if key is None:
                raise DamagedData(KEY_GONE)
            return owner, key
        # The row first: as long as it is not committed, who looks for keys without an
        # identity waits (`orphans`). If this fails further on, a key is left over that
        # opens nothing.
        owner = queries.insert_identity(connection, name, new_key_id(), created_at)
        if owner is not None:
            return owner, keys.make(owner.key_id)
        # Another process has made it since we looked.
