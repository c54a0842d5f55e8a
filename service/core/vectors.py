"""Embeddings in memory, each in a slot: what a search looks through first.

    exact          all are compared: closeness = probe . row - |row|^2 / 2
    by the head    likewise, by the model's own score, where that does not order by length
    approximate    by signs and numbers of 8 bits; see service.core.sketches

The closeness orders as the distance does: |probe - row|^2 = |probe|^2 - 2 closeness.
Nothing here is safe from several threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from model.types import Array

Answer = TypeVar("Answer")
Slots = NDArray[np.int64]

_FIRST: Final = 1024
_BLOCK: Final = 16_384
"""Rows of one block: so many that a product is worth its call, so few that what it
answers stays in the CPU's memory, and that no gallery is copied to make it larger."""


_WORTH_IT: Final = 8
"""Blocks, from which on several threads are quicker than one."""


class Vectors(Protocol):
    """Embeddings by their slots, which the caller chooses: small numbers, used again."""

    @property
    def size_bytes(self) -> int: ...

    def put(self, slots: Slots, embeddings: Array) -> None:
        """Embeddings (N, D) into slots that are free."""
        ...

    def clear(self, slots: Slots) -> None:
        """Forgets what is in these."""
        ...

    def nearest(self, probes: Array, count: int) -> list[Slots]:
        """The slots of the `count` nearest rows of each probe (P, D), the nearest first."""
        ...


class Places:
    """Which block a slot is in: the first is small, each twice the one before, up to a size.

    Args:
        most: Rows of a block.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._starts: list[int] = [0]

    @property
    def count(self) -> int:
        return self._starts[-1]

    def start(self, block: int) -> int:
        """Its first slot."""
        return self._starts[block]

    def reach(self, slot: int) -> Iterator[int]:
        """The rows of each block that must be added for there to be this slot."""
        while slot >= self._starts[-1]:
            rows = min(_FIRST << (len(self._starts) - 1), self._most)
            self._starts.append(self._starts[-1] + rows)
            yield rows

    def within(self, slots: Slots) -> Iterator[tuple[int, NDArray[np.bool_], Slots]]:
        """By block: its number, which of the slots are in it, and where."""
        blocks = np.searchsorted(self._starts, slots, side="right") - 1
        for at in np.unique(blocks).tolist():
            here = blocks == at
            yield at, here, slots[here] - self._starts[at]


def in_stripes(places: int, worth_it: int, work: Callable[[range], Answer]) -> list[Answer]:
    """Does some blocks' work on each core: numpy's products and counts let others run.

    Args:
        places: Blocks.
        worth_it: More blocks than this many, and several threads are quicker than one.
    """
    stripes = _cores() if places > worth_it else 1
    others = _workers().map(lambda first: work(range(first, places, stripes)), range(1, stripes))
    return [work(range(0, places, stripes)), *others]


Closeness = Callable[[Array, Array], Array]
"""Of rows (B, D) and probes (P, D), shape (B, P): higher is nearer."""


class Blocks:
    """Every row is compared with each probe, a block at a time.

    Args:
        closeness: Instead of the one by length.
    """

    def __init__(self, closeness: Closeness | None = None) -> None:
        self._size = 0
        self._closeness = closeness
        self._blocks: list[Array] = []
        # |row|^2 / 2; infinite where a slot is free.
        self._halves: list[Array] = []
        self._places = Places(_BLOCK)

    @property
    def size_bytes(self) -> int:
        return self._places.count * row_bytes(self._size)

    def put(self, slots: Slots, embeddings: Array) -> None:
        self._size = embeddings.shape[1]
        for count in self._places.reach(int(slots.max(initial=-1))):
            self._blocks.append(np.zeros((count, self._size), np.float32))
            self._halves.append(np.full(count, np.inf, np.float32))
        for at, here, rows in self._places.within(slots):
            self._blocks[at][rows] = embeddings[here]
            self._halves[at][rows] = np.sum(embeddings[here] ** 2, axis=1) / 2

    def clear(self, slots: Slots) -> None:
        for at, _, rows in self._places.within(slots):
            self._blocks[at][rows] = 0
            self._halves[at][rows] = np.inf

    def nearest(self, probes: Array, count: int) -> list[Slots]:
        found = in_stripes(
            len(self._blocks), _WORTH_IT, lambda places: self._among(probes, count, places)
        )
        best = []
        for each in zip(*found, strict=True):
            values = np.concatenate([value for value, _ in each])
            slots = np.concatenate([slot for _, slot in each])
            best.append(slots[np.argsort(-values, kind="stable")[:count]])
        return best

    def _among(self, probes: Array, count: int, places: range) -> list[tuple[Array, Slots]]:
        """Closeness and slot of the nearest in some of the blocks, for each probe."""
        best = [(np.empty(0, np.float32), np.empty(0, np.int64)) for _ in probes]
        for at in places:
            block, halves = self._blocks[at], self._halves[at]
            if self._closeness is None:
                found = (block @ probes.T) - halves[:, None]
            else:
                found = np.where(np.isinf(halves)[:, None], -np.inf, self._closeness(block, probes))
            for which, near in enumerate(found.T):
                best[which] = _merged(*best[which], near, self._places.start(at), count)
        return best


@cache
def _workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, _cores() - 1), thread_name_prefix="search")


def _cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def row_bytes(size: int) -> int:
    """Of an embedding and its length."""
    return 4 * size + 4


def _merged(
    values: Array, slots: Slots, near: Array, start: int, count: int
) -> tuple[Array, Slots]:
    """The `count` nearest of those so far and a block more."""
    bar = values.min() if len(values) == count else -np.inf
    better = np.flatnonzero(near > bar)
    if not len(better):
        return values, slots
    values = np.concatenate([values, near[better]])
    slots = np.concatenate([slots, better + start])
    if len(values) > count:
        top = np.argpartition(-values, count - 1)[:count]
        values, slots = values[top], slots[top]
    return values, slots
