"""Scored pairs made up for tests, small enough to count by hand."""

from __future__ import annotations

import itertools

import numpy as np

from training.evaluation.comparisons import Comparisons


def every_pair(images: list[int], seed: int, *, apart: float = 8.0) -> Comparisons:
    """All pairs of a small set of identities with made-up scores.

    Args:
        images: Of each identity.
        apart: How far the two kinds lie from each other; 1 is not at all.
    """
    generator = np.random.default_rng(seed)
    owner = np.repeat(np.arange(len(images)), images)
    rows = np.array(list(itertools.combinations(range(len(owner)), 2)), dtype=np.int32)
    same = owner[rows[:, 0]] == owner[rows[:, 1]]
    genuine, impostor = generator.beta(apart, 2, len(rows)), generator.beta(2, apart, len(rows))
    scores = np.where(same, genuine, impostor).astype(np.float32)
    return Comparisons(scores, same, rows, owner, np.array(images))


def listed(genuine: list[float], impostor: list[float]) -> Comparisons:
    """A list of pairs, each of two pictures that are in no other."""
    count = len(genuine) + len(impostor)
    rows = np.arange(2 * count, dtype=np.int32).reshape(count, 2)
    same = np.arange(count) < len(genuine)
    # The two pictures of a genuine pair are of one identity.
    owner = np.arange(2 * count)
    owner[1 : 2 * len(genuine) : 2] = owner[0 : 2 * len(genuine) : 2]
    return Comparisons(
        scores=np.array([*genuine, *impostor], dtype=np.float32),
        same=same,
        rows=rows,
        owner=owner,
        images=np.bincount(owner),
        listed=True,
    )
