"""A store that forgets: for tests, and the model that the real one is compared with."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from model.types import Array
from service.core.access import DEFAULT_COLLECTION
from service.core.errors import (
    IdentityExists,
    ModelMismatch,
    TooManyReferences,
    UnknownIdentity,
    UnknownReference,
)
from service.core.ports import (
    About,
    Enrolled,
    IdentitySummary,
    NewReference,
    Reference,
    Standing,
    StoredImage,
)
from service.core.searchable import Changes, EmbeddingPage, Mark
from service.storage.memory_entries import Entry, Identity, copied, entry_of

_Found = tuple[Entry, str, int]
"""A reference, and the name and number of its identity."""


class MemoryStore:
    """`service.core.ports.Store` in the memory of one process; any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._identities: dict[str, Identity] = {}
        self._numbers = itertools.count(1)
        # Numbers of identities, one a change.
        self._changes: list[int] = []
        self._collections: dict[str, MemoryStore] = {DEFAULT_COLLECTION: self}

    def within(self, collection: str) -> MemoryStore:
        with self._lock:
            if collection not in self._collections:
                other = self._collections[collection] = MemoryStore()
                other._collections = self._collections
            return self._collections[collection]

    def enrol(
        self,
        identity: str,
        references: Sequence[NewReference],
        *,
        limit: int,
        about: About | None = None,
        one_model: bool = False,
    ) -> list[Enrolled]:
        with self._lock:
            created_at = datetime.now(UTC)
            owner = self._identities.get(identity, Identity(created_at, []))
            # A copy, so that nothing has changed when the limit is exceeded.
            entries = list(owner.entries)
            models = {entry.reference.fingerprint for entry in entries}
            if one_model and not models <= {new.fingerprint for new in references}:
                raise ModelMismatch("The identity has a reference by another model.")
            enrolled = []
            for new in references:
                stored = next(
                    (e for e in entries if e.reference.content_hash == new.content_hash), None
                )
                duplicate = stored is not None
                if stored is None:
                    stored = entry_of(next(self._numbers), new, created_at)
                    entries.append(stored)
                enrolled.append(Enrolled(copied(stored.reference), duplicate))
            if len(entries) > max(limit, len(owner.entries)):
                raise TooManyReferences(f"An identity may have {limit} references, not more.")
            if len(entries) > len(owner.entries):
                self._identities[identity] = owner.changed(entries)
                self._changes.append(owner.number)
            if about is not None and identity in self._identities:
                self._identities[identity].about = about
            return enrolled

    def revision(self, identity: str) -> int:
        with self._lock:
            return self._of(identity).revision

    def standing(self, identity: str) -> Standing:
        with self._lock:
            return self._of(identity).standing

    def add_failure(self, identity: str) -> int:
        with self._lock:
            owner = self._of(identity)
            failures = owner.standing.failures + 1
            owner.standing = Standing(failures, datetime.now(UTC), owner.standing.used_at)
            return failures

    def redate_failure(self, identity: str) -> None:
        with self._lock:
            owner = self._of(identity)
            if owner.standing.failed_at is not None:
                owner.standing = replace(owner.standing, failed_at=datetime.now(UTC))

    def forget_failures(self, identity: str) -> None:
        with self._lock:
            owner = self._of(identity)
            owner.standing = Standing(0, None, owner.standing.used_at)

    def note_use(self, identity: str) -> None:
        with self._lock:
            self._of(identity).standing = Standing(0, None, datetime.now(UTC))

    def references(self, identity: str) -> list[Reference]:
        with self._lock:
            return [copied(entry.reference) for entry in self._of(identity).entries]

    def update_embedding(self, reference_id: str, embedding: Array, fingerprint: str) -> None:
        with self._lock:
            for name, owner in self._identities.items():
                for entry in owner.entries:
                    if entry.reference.reference_id == reference_id:
                        self._identities[name] = owner.changed(owner.entries)
                        self._changes.append(owner.number)
                        entry.reference = replace(
                            entry.reference, embedding=embedding.copy(), fingerprint=fingerprint
                        )

    def count(self, at_most: int | None = None) -> int:
        with self._lock:
            count = sum(len(owner.entries) for owner in self._identities.values())
        return count if at_most is None else min(count, at_most)

    def embeddings(self, fingerprint: str, *, after: int, limit: int) -> EmbeddingPage:
        with self._lock:
            found = [one for one in self._of_model(fingerprint) if one[0].number > after]
        page = found[:limit]
        position = page[-1][0].number if len(page) == limit else None
        return replace(_page(page), position=position)

    def embeddings_of(self, fingerprint: str, owners: Sequence[int]) -> EmbeddingPage:
        with self._lock:
            return _page([one for one in self._of_model(fingerprint) if one[2] in owners])

    def embeddings_by_id(self, fingerprint: str, reference_ids: Sequence[str]) -> EmbeddingPage:
        with self._lock:
            found = self._of_model(fingerprint)
            return _page([one for one in found if one[0].reference.reference_id in reference_ids])

    def changes(self, since: Mark | None) -> Changes:
        with self._lock:
            owners = () if since is None else tuple(set(self._changes[since.number :]))
            return Changes(owners, whole=True, mark=Mark(len(self._changes)))

    def forget_changes(self) -> None:
        pass

    def summary(self, identity: str) -> IdentitySummary:
        with self._lock:
            return self._summary(identity)

    def identities(self, after: str | None, limit: int) -> list[IdentitySummary]:
        with self._lock:
            names = sorted(name for name in self._identities if after is None or name > after)
            return [self._summary(name) for name in names[:limit]]

    def about(self, identity: str) -> About:
        with self._lock:
            return self._of(identity).about

    def collections(self) -> list[str]:
        return sorted(name for name, store in self._collections.items() if store._identities)

    def expired(
        self, *, enrolled_before: datetime | None, used_before: datetime | None, limit: int
    ) -> list[str]:
        with self._lock:
            found = []
            for name, owner in sorted(self._identities.items()):
                latest = max(entry.reference.created_at for entry in owner.entries)
                used_at = max(owner.standing.used_at or latest, latest)
                if (enrolled_before and latest < enrolled_before) or (
                    used_before and used_at < used_before
                ):
                    found.append(name)
            return found[:limit]

    def image(self, identity: str, reference_id: str) -> StoredImage | None:
        with self._lock:
            return self._find(identity, reference_id).image

    def owner_of(self, reference_id: str) -> str:
        with self._lock:
            for name, owner in self._identities.items():
                if any(entry.reference.reference_id == reference_id for entry in owner.entries):
                    return name
        raise UnknownReference("There is no such reference.")

    def delete_identity(self, identity: str) -> int:
        with self._lock:
            count = len(self._of(identity).entries)
            self._changes.append(self._identities.pop(identity).number)
            return count

    def rename(self, identity: str, to: str) -> None:
        with self._lock:
            owner = self._of(identity)
            if to in self._identities:
                raise IdentityExists("Another identity has that name.")
            self._identities[to] = owner.changed(owner.entries)
            del self._identities[identity]
            self._changes.append(owner.number)

    def merge(self, identity: str, into: str, *, limit: int) -> int:
        with self._lock:
            source, target = self._of(identity), self._of(into)
            self._identities[into], moved = target.merged(source, limit=limit)
            del self._identities[identity]
            self._changes += [source.number, target.number]
            return moved

    def delete_reference(self, identity: str, reference_id: str) -> None:
        with self._lock:
            owner = self._of(identity)
            owner.entries.remove(self._find(identity, reference_id))
            self._identities[identity] = owner.changed(owner.entries)
            self._changes.append(owner.number)
            if not owner.entries:
                del self._identities[identity]

    def check(self) -> None:
        pass

    def close(self) -> None:
        pass

    def _of_model(self, fingerprint: str) -> list[_Found]:
        """Each reference by a model, with whose it is; oldest first."""
        found = [
            (entry, name, owner.number)
            for name, owner in self._identities.items()
            for entry in owner.entries
            if entry.reference.fingerprint == fingerprint
        ]
        return sorted(found, key=lambda one: one[0].number)

    def _of(self, identity: str) -> Identity:
        if identity not in self._identities:
            raise UnknownIdentity("No such identity is enrolled.")
        return self._identities[identity]

    def _find(self, identity: str, reference_id: str) -> Entry:
        for entry in self._of(identity).entries:
            if entry.reference.reference_id == reference_id:
                return entry
        raise UnknownReference("The identity has no such reference.")

    def _summary(self, identity: str) -> IdentitySummary:
        owner = self._of(identity)
        return IdentitySummary(identity, len(owner.entries), owner.created_at)


def _page(found: Sequence[_Found]) -> EmbeddingPage:
    rows = [entry.reference.embedding for entry, _, _ in found]
    return EmbeddingPage(
        identities=tuple(name for _, name, _ in found),
        reference_ids=tuple(entry.reference.reference_id for entry, _, _ in found),
        owners=tuple(owner for _, _, owner in found),
        embeddings=np.stack(rows) if rows else np.empty((0, 0), np.float32),
    )
