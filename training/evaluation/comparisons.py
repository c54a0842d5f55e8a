"""Scored pairs of pictures, the one thing that every figure is computed from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from model.types import AnyArray, Array

MISSED_ROW = -1
"""Stands for a picture in which no face was found."""


@dataclass(frozen=True)
class Comparisons:
    """Pairs of pictures with their scores.

    Attributes:
        scores: In [0, 1], higher is more alike. Shape (P,).
        same: True for a genuine pair (one person), False for an impostor pair. Shape (P,).
        rows: The two pictures of each pair, or MISSED_ROW. Shape (P, 2), int.
        owner: Number of the identity of each picture. Shape (N,), int.
        images: Pictures of each identity that were compared. Shape (identities,), int.
        listed: False: these are all pairs of `images`, which share identities.
            True: a list of pairs, each taken to be independent of the others.
        folds: Fold of each listed pair. Shape (P,), or None.
    """

    scores: Array
    same: NDArray[np.bool_]
    rows: NDArray[np.int32]
    owner: NDArray[np.int64]
    images: NDArray[np.int64]
    listed: bool = False
    folds: AnyArray | None = None

    @cached_property
    def genuine(self) -> Array:
        """Scores of pairs of one person. Shape (G,)."""
        return self.scores[self.same]

    @cached_property
    def impostor(self) -> Array:
        """Scores of pairs of two people, descending. Shape (I,)."""
        scores = self.scores[~self.same]
        scores.sort()
        return scores[::-1]

    @cached_property
    def identities(self) -> int:
        """How many identities have a picture here."""
        return int((self.images > 0).sum())

    def chosen(self, pairs: AnyArray, pictures: AnyArray) -> Comparisons:
        """Some of the pairs, and of the pictures those that they are all pairs of.

        Args:
            pairs: Mask. Shape (P,).
            pictures: Mask. Shape (N,).
        """
        return replace(
            self,
            scores=self.scores[pairs],
            same=self.same[pairs],
            rows=self.rows[pairs],
            images=np.bincount(self.owner[pictures], minlength=len(self.images)),
            folds=None if self.folds is None else self.folds[pairs],
        )

    def pairs_within(self, pictures: AnyArray) -> NDArray[np.bool_]:
        """Mask of the pairs whose pictures are both chosen by the mask. Shape (P,)."""
        padded = np.append(pictures, False)  # MISSED_ROW is the last one
        return np.asarray(padded[self.rows[:, 0]] & padded[self.rows[:, 1]])


def sampled(comparisons: Comparisons, most: int, seed: int = 0) -> Comparisons:
    """Pairs of two faces, at most so many of each kind, at random."""
    generator = np.random.default_rng(seed)
    seen = (comparisons.rows != MISSED_ROW).all(axis=1)
    chosen = []
    for kind in (comparisons.same, ~comparisons.same):
        places = np.flatnonzero(kind & seen)
        if len(places) > most:
            places = generator.choice(places, most, replace=False)
        chosen.append(places)
    pairs = np.sort(np.concatenate(chosen))
    return replace(
        comparisons,
        scores=comparisons.scores[pairs],
        same=comparisons.same[pairs],
        rows=comparisons.rows[pairs],
        folds=None if comparisons.folds is None else comparisons.folds[pairs],
    )


def joined_owners(count: int, genuine: Iterable[tuple[int, int]]) -> NDArray[np.int64]:
    """Identity numbers of pictures of which only pairs are known.

    Pictures that genuine pairs join, also by way of others, are of one person.

    Args:
        count: Of pictures.
        genuine: Rows of the two pictures of each genuine pair.

    Returns:
        Numbers from 0, without a gap. Shape (count,).
    """
    parent = list(range(count))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = parent[parent[row]]
            row = parent[row]
        return row

    for one, other in genuine:
        parent[root(one)] = root(other)
    _, numbers = np.unique([root(row) for row in range(count)], return_inverse=True)
    return np.asarray(numbers, dtype=np.int64)
