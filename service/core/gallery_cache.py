"""Galleries kept in memory: what a verification needs of an identity's references.

A gallery is found again only under the revision that the store names now
(`service.core.ports.Store.revision`), so none is used after its references
changed, whichever process changed them. How long one is *held* is bounded three
ways: by bytes, the least recently used going first; by the time since its last
use; and it goes at once when its identity or a reference is deleted here.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from model.types import Array

MAX_BYTES: Final = 32 * 2**20
MAX_UNUSED_S: Final = 300.0
_ENTRY_BYTES: Final = 1024
"""Of the objects around an array, about; so that many small galleries count, too."""
_ID_BYTES: Final = 90


@dataclass(frozen=True)
class Gallery:
    """The references of an identity as one matrix, oldest first.

    Attributes:
        reference_ids: Length M.
        rows: The embeddings and, as the last row, their template
            (`model.fusion.centroid`, weighted by quality). Shape (M + 1, D),
            float32, contiguous, not to be written.
        fingerprint: Of the model that made them all.
    """

    reference_ids: tuple[str, ...]
    rows: Array
    fingerprint: str

    @property
    def embeddings(self) -> Array:
        """Without the template. Shape (M, D)."""
        return self.rows[:-1]

    @property
    def size_bytes(self) -> int:
        return _ENTRY_BYTES + self.rows.nbytes + _ID_BYTES * len(self.reference_ids)


@dataclass
class _Held:
    revision: int
    gallery: Gallery
    used_at: float


class GalleryCache:
    """Galleries by identity; any thread may use it.

    Args:
        max_bytes: Of all galleries; 0 keeps none.
        max_unused_s: After so long without use one is dropped, by the next `put` or
            `drop_unused`.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        max_bytes: int = MAX_BYTES,
        max_unused_s: float = MAX_UNUSED_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_bytes = max_bytes
        self._max_unused_s = max_unused_s
        self._clock = clock
        self._lock = threading.Lock()
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._bytes = 0
        self._drops = 0
        self.hits = 0
        self.misses = 0

    @property
    def size_bytes(self) -> int:
        return self._bytes

    @property
    def drops(self) -> int:
        """How often `drop` was called; for `put`."""
        return self._drops

    def get(self, identity: str, revision: int | None) -> Gallery | None:
        """The gallery at this very revision, or None; one at another is dropped.

        Args:
            revision: As the store says now; None if there is no such identity.
        """
        with self._lock:
            held = self._held.get(identity)
            if held is None or held.revision != revision:
                self.misses += 1
                self._remove(identity)
                return None
            self.hits += 1
            held.used_at = self._clock()
            self._held.move_to_end(identity)
            return held.gallery

    def put(self, identity: str, revision: int, gallery: Gallery, drops: int) -> None:
        """Keeps a gallery, unless something was deleted while it was being read.

        Args:
            revision: Read from the store before `gallery` was.
            drops: `self.drops`, read before `gallery` was.
        """
        with self._lock:
            if drops != self._drops or gallery.size_bytes > self._max_bytes:
                return
            self._remove(identity)
            self._held[identity] = _Held(revision, gallery, self._clock())
            self._bytes += gallery.size_bytes
            while self._bytes > self._max_bytes:
                self._remove(next(iter(self._held)))
            self._remove_unused()

    def drop(self, identity: str) -> None:
        """Forgets an identity, also one that another thread is just reading."""
        with self._lock:
            self._drops += 1
            self._remove(identity)

    def drop_unused(self) -> None:
        """Forgets what was not used for longer than the bound; to be called now and then."""
        with self._lock:
            self._remove_unused()

    def _remove_unused(self) -> None:
        # The least recently used come first.
        oldest = self._clock() - self._max_unused_s
        while self._held:
            identity, held = next(iter(self._held.items()))
            if held.used_at >= oldest:
                return
            self._remove(identity)

    def _remove(self, identity: str) -> None:
        held = self._held.pop(identity, None)
        if held is not None:
            self._bytes -= held.gallery.size_bytes
