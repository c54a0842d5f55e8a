"""Embeddings as a graph of near ones: found without comparing all, and not always.

HNSW by usearch, which is imported when a gallery is so large that it is needed. Rows are
kept as 16-bit floats: they only choose candidates, whose scores are made anew from what
the store has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from model.types import Array
from service.core.vectors import Slots

if TYPE_CHECKING:
    from usearch.index import Index

_LINKS: Final = 16
_BREADTH_ADDING: Final = 64
_BREADTH_SEARCHING: Final = 256
_LINK_BYTES: Final = 260
"""Of a row's links and key, about, as measured by `python -m bench.identify`."""


class Graph:
    """`service.core.vectors.Vectors` by usearch.

    What is cleared is found no more; its bytes are written over by the next row that is
    put, or go with the graph.

    Args:
        size: D.
    """

    def __init__(self, size: int) -> None:
        from usearch.index import Index

        self._size = size
        self._index: Index = Index(
            ndim=size,
            metric="l2sq",
            dtype="f16",
            connectivity=_LINKS,
            expansion_add=_BREADTH_ADDING,
            expansion_search=_BREADTH_SEARCHING,
        )

    @property
    def size_bytes(self) -> int:
        return int(self._index.memory_usage)

    def put(self, slots: Slots, embeddings: Array) -> None:
        if len(slots):
            self._index.add(slots.astype(np.uint64), embeddings)

    def clear(self, slots: Slots) -> None:
        if len(slots):
            self._index.remove(slots.astype(np.uint64))

    def nearest(self, probes: Array, count: int) -> list[Slots]:
        if not len(self._index):
            return [np.empty(0, np.int64) for _ in probes]
        found = self._index.search(probes, min(count, len(self._index)))
        keys, counts = np.atleast_2d(found.keys), np.atleast_1d(getattr(found, "counts", count))
        return [
            row[: int(have)].astype(np.int64)
            for row, have in zip(keys, np.broadcast_to(counts, len(keys)), strict=True)
        ]


def graph_row_bytes(size: int) -> int:
    """Of an embedding and its links, about."""
    return 2 * size + _LINK_BYTES
