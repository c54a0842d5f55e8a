"""Embeddings by 512 signs and 8 bits a number: found in a fifth of the time, nearly always.

    signs     on which side of the gallery's middle a row lies, in 512 directions; the
              share in which two rows differ tells the angle between them, and is counted
              without a product
    numbers   of the rows that differ least: the distance, from numbers of 8 bits

What comes out only chooses candidates, whose scores are made anew from what the store
has. Why not a graph: docs/decisions/0030-identification.md.

Source: Charikar (2002), Similarity estimation techniques from rounding algorithms.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.types import Array
from service.core.vectors import Places, Slots, in_stripes

_SIGNS: Final = 512
_WORDS: Final = _SIGNS // 64
_HALF: Final = _WORDS // 2
_SIFTED: Final = 4096
"""Rows whose distance is looked at, at least."""
_EACH: Final = 8
"""Likewise for each row that is asked for."""
_ENOUGH: Final = 4096
"""Rows whose mean is taken for the middle."""
_BLOCK: Final = 65_536
_MOST: Final = 127

_Words = NDArray[np.uint64]
_Counts = NDArray[np.uint16]


@dataclass(frozen=True)
class _Block:
    """Rows that lie together.

    Attributes:
        signs: Shape (_WORDS, rows).
        numbers: Shape (rows, D); times `scales`, shape (rows,), the embeddings as seen from
            the middle.
        halves: |row|^2 / 2, shape (rows,); infinite where a slot is free.
    """

    signs: _Words
    numbers: NDArray[np.int8]
    scales: Array
    halves: Array


class Sketches:
    """`service.core.vectors.Vectors`, approximately.

    Args:
        size: D.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._directions = _directions(size)
        self._places = Places(_BLOCK)
        self._blocks: list[_Block] = []
        self._sum = np.zeros(size)
        self._seen = self._summed = 0
        self._middle = np.zeros(size, np.float32)

    @property
    def size_bytes(self) -> int:
        return self._places.count * sketch_row_bytes(self._size)

    def put(self, slots: Slots, embeddings: Array) -> None:
        if not len(slots):
            return
        for count in self._places.reach(int(slots.max())):
            self._blocks.append(_empty(count, self._size))
        for at, here, rows in self._places.within(slots):
            self._blocks[at].halves[rows] = np.sum(embeddings[here] ** 2, axis=1) / 2
            self._write(self._blocks[at], rows, embeddings[here] - self._middle)
        if self._summed < _ENOUGH:
            self._sum += embeddings.sum(axis=0, dtype=np.float64)
            self._seen += len(embeddings)
            if self._seen >= 2 * self._summed:
                self._move_middle()

    def clear(self, slots: Slots) -> None:
        for at, _, rows in self._places.within(slots):
            block = self._blocks[at]
            block.signs[:, rows], block.numbers[rows], block.scales[rows] = 0, 0, 0
            block.halves[rows] = np.inf

    def nearest(self, probes: Array, count: int) -> list[Slots]:
        most = max(_SIFTED, _EACH * count)
        signs = self._signs(probes - self._middle)
        found = in_stripes(len(self._blocks), 2, lambda places: self._sifted(signs, most, places))
        best = []
        for which, probe in enumerate(probes):
            counts = np.concatenate([stripe[which][0] for stripe in found])
            slots = np.concatenate([stripe[which][1] for stripe in found])
            _, slots = _fewest(counts, slots, most)
            closeness, slots = self._closeness(probe, slots)
            held = np.flatnonzero(np.isfinite(closeness))
            order = held[np.argsort(-closeness[held], kind="stable")[:count]]
            best.append(slots[order])
        return best

    def _sifted(self, signs: _Words, most: int, places: range) -> list[tuple[_Counts, Slots]]:
        """Of some blocks, for each probe: differing signs and slot of those that differ least."""
        best = [(np.empty(0, np.uint16), np.empty(0, np.int64)) for _ in signs]
        # What differs more than this many others is none of the least.
        bars = [_SIGNS + 1] * len(signs)
        for at in places:
            block = self._blocks[at].signs
            spare = np.empty(block.shape[1], np.uint64), np.empty(block.shape[1], np.uint8)
            for which, probe in enumerate(signs):
                counts = _differing(block, probe, *spare)
                near = np.flatnonzero(counts < bars[which])
                counts_so_far, slots = best[which]
                best[which] = (
                    np.concatenate([counts_so_far, counts[near]]),
                    np.concatenate([slots, near + self._places.start(at)]),
                )
                if len(best[which][0]) > 2 * most:
                    best[which] = _fewest(*best[which], most)
                    bars[which] = int(best[which][0].max())
        return best

    def _closeness(self, probe: Array, slots: Slots) -> tuple[Array, Slots]:
        """Probe . row - |row|^2 / 2 of these, and their slots in that order."""
        values, places = [np.empty(0, np.float32)], [np.empty(0, np.int64)]
        for at, here, rows in self._places.within(slots):
            block = self._blocks[at]
            dots = block.numbers[rows].astype(np.float32) @ probe
            values.append(dots * block.scales[rows] - block.halves[rows])
            places.append(slots[here])
        return np.concatenate(values), np.concatenate(places)

    def _signs(self, ways: Array) -> _Words:
        """Of ways from the middle (N, D), shape (N, _WORDS)."""
        return np.packbits(ways @ self._directions > 0, axis=1).view(np.uint64)

    def _write(self, block: _Block, rows: Slots, ways: Array) -> None:
        scales = np.maximum(np.abs(ways).max(axis=1), np.finfo(np.float32).tiny) / _MOST
        block.numbers[rows] = np.rint(ways / scales[:, None]).astype(np.int8)
        block.scales[rows] = scales
        block.signs[:, rows] = self._signs(ways).T

    def _move_middle(self) -> None:
        """Takes the mean of the rows so far, as few as they are, and writes all again."""
        before, self._middle = self._middle, np.asarray(self._sum / self._seen, np.float32)
        self._summed = self._seen
        for block in self._blocks:
            held = np.flatnonzero(np.isfinite(block.halves))
            ways = block.numbers[held].astype(np.float32) * block.scales[held, None]
            self._write(block, held, ways + (before - self._middle))


def sketch_row_bytes(size: int) -> int:
    """Of an embedding: its signs, its numbers, their scale, its length."""
    return _SIGNS // 8 + size + 8


def _empty(rows: int, size: int) -> _Block:
    return _Block(
        np.zeros((_WORDS, rows), np.uint64),
        np.zeros((rows, size), np.int8),
        np.zeros(rows, np.float32),
        np.full(rows, np.inf, np.float32),
    )


def _directions(size: int) -> Array:
    """Shape (size, _SIGNS); the same each time, at right angles as far as there are so many."""
    generator = np.random.default_rng(0)
    turns = [
        np.linalg.qr(generator.standard_normal((size, size)))[0] for _ in range(-(-_SIGNS // size))
    ]
    return np.asarray(np.concatenate(turns, axis=1)[:, :_SIGNS], np.float32)


def _differing(block: _Words, probe: _Words, words: _Words, counts: NDArray[np.uint8]) -> _Counts:
    """Signs of each row that differ from the probe's; the last two are written over."""
    halves = []
    for first in (0, _HALF):
        # At most 256: that many, of opposites, would be 0. They are looked at and not near.
        whole = np.bitwise_count(np.bitwise_xor(block[first], probe[first], out=words))
        for at in range(first + 1, first + _HALF):
            np.bitwise_xor(block[at], probe[at], out=words)
            np.add(whole, np.bitwise_count(words, out=counts), out=whole)
        halves.append(whole.astype(np.uint16))
    counts_of_all: _Counts = halves[0] + halves[1]
    return counts_of_all


def _fewest(counts: _Counts, slots: Slots, most: int) -> tuple[_Counts, Slots]:
    if len(counts) <= most:
        return counts, slots
    kept = np.argpartition(counts, most - 1)[:most]
    return counts[kept], slots[kept]
