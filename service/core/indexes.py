"""The indexes in memory, one a collection and model; made when first needed.

Bounded by bytes, of all together: the least recently used go first. One that nobody has
used for an hour goes, too; and what other processes deleted goes with the next search,
or a minute later, when all that are held are looked through.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from model.types import Array
from service.core.errors import GalleryTooLarge, NotReady
from service.core.index import ROW_BYTES, Index, Outdated
from service.core.ordering import Metric, metric_of
from service.core.sketches import Sketches, sketch_row_bytes
from service.core.vectors import Blocks, Vectors, row_bytes

if TYPE_CHECKING:
    from service.core.core import Core
    from service.core.ports import FaceModel

MAX_BYTES: Final = 2**30
EXACT_UP_TO: Final = 1_000_000
MAX_UNUSED_S: Final = 3600.0
WAIT_S: Final = 3.0

Way = Literal["exact", "approximate"]
"""How an index is searched."""

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class Held:
    """An index that is made, or being made.

    Attributes:
        ready: Is done when it can be searched, or has the error that was in the way.
        bytes_: That it takes, or will.
    """

    index: Index
    way: Way
    bytes_: int
    ready: Future[None]
    used_at: float


class Indexes:
    """Any thread may use it.

    Args:
        max_bytes: Of all indexes; 0 lets nothing be searched.
        exact_up_to: References of a collection; with more, the index is approximate.
        wait_s: How long a search waits for its index to be made.
        clock: Seconds that never go back.
    """

    def __init__(
        self,
        max_bytes: int = MAX_BYTES,
        exact_up_to: int = EXACT_UP_TO,
        *,
        wait_s: float = WAIT_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_bytes, self._exact_up_to = max_bytes, exact_up_to
        self._wait_s, self._clock = wait_s, clock
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[str, str], Held] = OrderedDict()
        self._metrics: dict[str, Metric] = {}

    @property
    def size_bytes(self) -> int:
        with self._lock:
            return sum(held.index.size_bytes for held in self._held.values())

    def nearest(
        self, core: Core, probe: Array, count: int, *, patient: bool = False
    ) -> tuple[list[str], Index, Way]:
        """Ids of the references nearest to a probe (D,), the index, and how it was searched.

        Args:
            core: By the one model that the probe is of.
            patient: Wait for the index as long as it takes to make it.

        Raises:
            NotReady: If the index is being made; it will be ready in a while.
            GalleryTooLarge
        """
        for _ in range(2):
            held = self._of(core)
            try:
                held.ready.result(None if patient else self._wait_s)
                return held.index.nearest(probe, count), held.index, held.way
            except NotYet:
                done = held.index.references
                raise NotReady(
                    f"the gallery is being read: {done} references so far; try again in a while"
                ) from None
            except Outdated:
                self._forget(core, held)
            except GalleryTooLarge:
                self._forget(core, held)
                raise
        raise NotReady("the gallery changes faster than it can be read; try again in a while")

    def metric(self, model: FaceModel) -> Metric:
        """Found out once a model."""
        fingerprint = model.manifest.fingerprint
        if fingerprint not in self._metrics:
            self._metrics[fingerprint] = metric_of(model)
        return self._metrics[fingerprint]

    def sweep(self) -> None:
        """Drops what is not used, and looks through the rest; to be called now and then."""
        with self._lock:
            oldest = self._clock() - MAX_UNUSED_S
            for key, held in list(self._held.items()):
                if held.used_at < oldest and held.ready.done():
                    del self._held[key]
            ready = [(key, held) for key, held in self._held.items() if held.ready.done()]
        for key, held in ready:
            try:
                held.index.refresh()
            except Exception:
                # It is made anew by the next search, which then says what is wrong.
                _log.warning("an index could not be kept right and was dropped", exc_info=True)
                with self._lock:
                    if self._held.get(key) is held:
                        del self._held[key]

    def _of(self, core: Core) -> Held:
        """The index of a collection and model; it is begun if there is none."""
        key = (core.collection, core.fingerprint)
        with self._lock:
            held = self._held.get(key)
            if held is not None and not _failed(held):
                held.used_at = self._clock()
                self._held.move_to_end(key)
                return held
        metric, count = self.metric(core.model), core.store.count()
        with self._lock:
            held = self._held.get(key)
            if held is None or _failed(held):
                held = self._held[key] = self._begun(core, metric, count)
            return held

    def _begun(self, core: Core, metric: Metric, count: int) -> Held:
        size = core.model.manifest.embedding_size
        way: Way = "exact"
        if count > self._exact_up_to and metric == "euclidean":
            way = "approximate"
        each = ROW_BYTES + (row_bytes(size) if way == "exact" else sketch_row_bytes(size))
        if count * each > self._max_bytes:
            raise _too_large(count, count * each, self._max_bytes)
        self._make_room(count * each)
        vectors: Vectors = Sketches(size) if way == "approximate" else self._blocks(core, metric)
        most = self._max_bytes // each
        index = Index(
            core.store,
            core.fingerprint,
            vectors,
            most,
            lambda found: _too_large(found, found * each, self._max_bytes),
        )
        held = Held(index, way, count * each, Future(), self._clock())
        # Not the caller's thread: whoever gives up must not take the others' index along.
        threading.Thread(target=_make, args=(held,), name="index", daemon=True).start()
        return held

    def _blocks(self, core: Core, metric: Metric) -> Blocks:
        if metric == "euclidean":
            return Blocks()

        def closeness(rows: Array, probes: Array) -> Array:
            return np.stack([core.model.score(probe, rows) for probe in probes], axis=1)

        return Blocks(closeness)

    def _make_room(self, wanted: int) -> None:
        while self._held and wanted + sum(h.bytes_ for h in self._held.values()) > self._max_bytes:
            self._held.popitem(last=False)

    def _forget(self, core: Core, held: Held) -> None:
        with self._lock:
            if self._held.get((core.collection, core.fingerprint)) is held:
                del self._held[core.collection, core.fingerprint]


def _make(held: Held) -> None:
    begun = time.monotonic()
    try:
        held.index.fill()
    except BaseException as error:  # whoever waits is told
        held.ready.set_exception(error)
        return
    held.ready.set_result(None)
    spent_s = time.monotonic() - begun
    if spent_s > 1:
        _log.info("read %d references for searches in %.1f s", held.index.references, spent_s)


def _failed(held: Held) -> bool:
    return held.ready.done() and held.ready.exception() is not None


def _too_large(count: int, wanted: int, bound: int) -> GalleryTooLarge:
    return GalleryTooLarge(
        f"{count} references take {wanted} bytes of memory to be searched, and "
        f"SEMBLANCE_SEARCH_BYTES allows {bound}"
    )
