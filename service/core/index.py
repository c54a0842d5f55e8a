"""The references of one collection, by one model, in memory: which are nearest to a probe.

Made of pages from the store, then kept right: before each search the store is asked
which identities have changed, whichever process changed them, and those are read anew.
So what was enrolled before a search began is seen by it, and what was deleted is gone.

    one search at a time     the cores share it, and memory is what bounds it
    in natural batches       who came while one ran are searched for together, by one
                             question to the store and one pass over the rows

Held are embeddings, ids of references and numbers of identities: no name, no picture.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from model.types import Array
from service.core.ports import Store
from service.core.searchable import EmbeddingPage, Mark
from service.core.vectors import Slots, Vectors

PAGE: Final = 4096
ROW_BYTES: Final = 24
"""Of a reference's id and its identity's number."""
_OWNERS_AT_ONCE: Final = 500
_NOBODY: Final = -1


class Outdated(Exception):
    """The store cannot tell what has changed for so long: all is to be read anew."""


@dataclass(eq=False)
class _Waiter:
    probe: Array
    count: int
    found: list[str] | None = None
    error: Exception | None = None


class Index:
    """Any thread may search; one at a time makes it.

    Args:
        store: Of the collection.
        fingerprint: Of the model.
        vectors: Where the embeddings go; empty.
        most: References; beyond it a search raises what `too_many` makes.

    Attributes:
        references, identities: That are in it, as of the latest search.
    """

    def __init__(
        self,
        store: Store,
        fingerprint: str,
        vectors: Vectors,
        most: int,
        too_many: Callable[[int], Exception],
    ) -> None:
        self._store, self._fingerprint, self._vectors = store, fingerprint, vectors
        self._most, self._too_many = most, too_many
        self._mark: Mark | None = None
        self._ids = np.zeros(0, "V16")
        self._owners = np.full(0, _NOBODY, np.int64)
        self._free: list[int] = []
        self._used = 0
        self.references = self.identities = 0
        self._lock = threading.Lock()
        self._queue = threading.Lock()
        self._waiting: list[_Waiter] = []

    @property
    def size_bytes(self) -> int:
        return self._vectors.size_bytes + ROW_BYTES * len(self._owners)

    def fill(self) -> None:
        """Reads all that is stored; to be called once, before any search.

        Raises:
            NotReady, Overloaded: If the store cannot be read.
        """
        with self._lock:
            self._mark = self._store.changes(None).mark
            owners: set[int] = set()
            position = 0
            while True:
                page = self._store.embeddings(self._fingerprint, after=position, limit=PAGE)
                self._put(page)
                owners.update(page.owners)
                self.identities = len(owners)
                if self.references > self._most:
                    raise self._too_many(self.references)
                if page.position is None:
                    break
                position = page.position
            self._refresh()

    def nearest(self, probe: Array, count: int) -> list[str]:
        """Ids of the `count` references nearest to a probe (D,), the nearest first.

        Raises:
            Outdated
            NotReady, Overloaded: If the store cannot be read.
        """
        own = _Waiter(probe, count)
        with self._queue:
            self._waiting.append(own)
        with self._lock:
            if own.found is None and own.error is None:
                with self._queue:
                    batch, self._waiting = self._waiting, []
                self._search(batch)
        if own.error is not None:
            raise own.error
        assert own.found is not None
        return own.found

    def refresh(self) -> None:
        """Looks what has changed, also when nobody searches; raises as `nearest`."""
        with self._lock:
            self._refresh()

    def _search(self, batch: Sequence[_Waiter]) -> None:
        try:
            self._refresh()
            probes = np.stack([waiter.probe for waiter in batch])
            most = max(waiter.count for waiter in batch)
            for waiter, slots in zip(batch, self._vectors.nearest(probes, most), strict=True):
                held = slots[self._owners[slots] != _NOBODY][: waiter.count]
                waiter.found = [one.tobytes().hex() for one in self._ids[held]]
        except Exception as error:
            # Each of them waits for an answer.
            for waiter in batch:
                waiter.error = error

    def _refresh(self) -> None:
        changes = self._store.changes(self._mark)
        if not changes.whole:
            raise Outdated
        for at in range(0, len(changes.owners), _OWNERS_AT_ONCE):
            some = changes.owners[at : at + _OWNERS_AT_ONCE]
            page = self._store.embeddings_of(self._fingerprint, some)
            self._drop(some)
            self._put(page)
            self.identities += len(set(page.owners))
        # Only now: if the store could not be read, it is asked again.
        self._mark = changes.mark
        if self.references > self._most:
            raise self._too_many(self.references)

    def _drop(self, owners: Sequence[int]) -> None:
        slots = np.flatnonzero(np.isin(self._owners[: self._used], owners))
        if not len(slots):
            return
        self.identities -= len(np.unique(self._owners[slots]))
        self.references -= len(slots)
        self._vectors.clear(slots)
        self._owners[slots] = _NOBODY
        self._ids[slots] = np.zeros(1, "V16")
        self._free += slots.tolist()

    def _put(self, page: EmbeddingPage) -> None:
        if not page.owners:
            return
        slots = self._take(len(page.owners))
        self._vectors.put(slots, page.embeddings)
        self._owners[slots] = page.owners
        ids = b"".join(bytes.fromhex(one) for one in page.reference_ids)
        self._ids[slots] = np.frombuffer(ids, "V16")
        self.references += len(slots)

    def _take(self, count: int) -> Slots:
        """Slots that nobody has; those that were given back first."""
        again = [self._free.pop() for _ in range(min(count, len(self._free)))]
        first = self._used
        self._used += count - len(again)
        if self._used > len(self._owners):
            more = max(self._used - len(self._owners), len(self._owners) // 4, PAGE)
            self._owners = np.concatenate([self._owners, np.full(more, _NOBODY, np.int64)])
            self._ids = np.concatenate([self._ids, np.zeros(more, "V16")])
        return np.array([*again, *range(first, self._used)], np.int64)
