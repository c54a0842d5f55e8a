"""How two embeddings become a score: every way that was tried.

A way is fitted on pictures of some people and then compares pictures of others. The
halves are SFace's and dlib's embeddings as they come, shape (N, 128) each, or one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.types import AnyArray, Array

Halves = Sequence[Array]
Numbers = NDArray[np.floating[Any]]
Compare = Callable[[AnyArray, AnyArray], Numbers]
"""Rows of first and of second pictures, shape (P,), to scores: higher is more alike."""

Fitted = Callable[[Halves], Compare]
Fit = Callable[[Halves, AnyArray], Fitted]
"""Halves and identities to learn from."""


def unit(rows: Numbers) -> Numbers:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


def cosines(*weights: float) -> Fit:
    """The weighted sum of the halves' cosines."""

    def fit(halves: Halves, identities: AnyArray) -> Fitted:
        return lambda others: _by_dot(_joined(_units(others), weights))

    return fit


def centred(*weights: float) -> Fit:
    """The same of embeddings from which the mean of all people is taken."""

    def fit(halves: Halves, identities: AnyArray) -> Fitted:
        means = [half.mean(axis=0) for half in _units(halves)]
        return lambda others: _by_dot(
            _joined(
                [unit(x - mean) for x, mean in zip(_units(others), means, strict=True)], weights
            )
        )

    return fit


def projected(weights: Sequence[float], *shrinks: float | None, power: float = 0) -> Fit:
    """The sum of cosines after a projection as in `training.projection`, for each half or None.

    Args:
        power: Of the embeddings' norms, by which each picture's halves are weighted, too:
            a network is surer of a face the longer its embedding is.
    """

    def fit(halves: Halves, identities: AnyArray) -> Fitted:
        maps = _projections(halves, identities, shrinks)
        usual = [float(np.linalg.norm(half, axis=1).mean()) for half in halves]

        def rows(others: Halves) -> Numbers:
            found = maps(others)
            if power:
                sure = [
                    (np.linalg.norm(half, axis=1, keepdims=True) / mean) ** power
                    for half, mean in zip(others, usual, strict=True)
                ]
                found = [half * by for half, by in zip(found, sure, strict=True)]
            joined = _joined(found, weights)
            return unit(joined) if power else joined

        return lambda others: _by_dot(rows(others))

    return fit


def distances(weights: Sequence[float], *shrinks: float | None) -> Fit:
    """The weighted sum of the halves' distances, projected like `projected`."""

    def fit(halves: Halves, identities: AnyArray) -> Fitted:
        maps = _projections(halves, identities, shrinks)

        def fitted(others: Halves) -> Compare:
            dots = [_by_dot(x) for x in maps(others)]
            return lambda a, b: (
                -np.sum(
                    [w * _distance(dot(a, b)) for w, dot in zip(weights, dots, strict=True)], axis=0
                )
            )

        return fitted

    return fit


def normalised(weights: Sequence[float], nearest: int | None, *shrinks: float | None) -> Fit:
    """The projected sum, against each picture's scores with a cohort (S-norm).

    Args:
        nearest: Of the cohort, so many most alike; all if None. The cohort is the
            mean of each identity that was fitted on.
    """

    def fit(halves: Halves, identities: AnyArray) -> Fitted:
        maps = _projections(halves, identities, shrinks)
        owner = np.unique(identities, return_inverse=True)[1]
        cohort = _joined([unit(_means(half, owner)) for half in maps(halves)], weights)

        def fitted(others: Halves) -> Compare:
            rows = _joined(maps(others), weights)
            against = np.sort(rows @ cohort.T, axis=1)[:, -(nearest or len(cohort)) :]
            mean, spread, dot = against.mean(axis=1), against.std(axis=1), _by_dot(rows)

            def compare(a: AnyArray, b: AnyArray) -> Numbers:
                score = dot(a, b)
                both = (score - mean[a]) / spread[a] + (score - mean[b]) / spread[b]
                return np.asarray(both / 2)

            return compare

        return fitted

    return fit


def plda(weights: Sequence[float], shrink: float) -> Fit:
    """Log ratio of "one person" to "two" if people and pictures are spread as normals.

    Source:
        Ioffe, "Probabilistic Linear Discriminant Analysis" (2006), two-covariance form.
    """

    def fit(halves: Halves, identities: AnyArray) -> Fitted:
        rows = _joined(_units(halves), weights)
        middle = rows.mean(axis=0)
        rows = unit(rows - middle)
        owner = np.unique(identities, return_inverse=True)[1]
        within = _drawn(_within(rows, owner), shrink)
        counts = np.bincount(owner)
        between = np.cov(_means(rows, owner).T) - within * np.mean(1 / counts)
        values, vectors = np.linalg.eigh(_drawn(between, shrink))
        between = (vectors * np.maximum(values, 1e-6)) @ vectors.T
        total = np.linalg.inv(between + within)
        both = np.linalg.inv(between + within - between @ total @ between)
        across, alone = total @ between @ both, total - both
        mean = rows.mean(axis=0)

        def fitted(others: Halves) -> Compare:
            x = unit(_joined(_units(others), weights) - middle) - mean
            own = np.einsum("nd,de,ne->n", x, alone, x) / 2
            dot = _by_dot(x, x @ across)
            return lambda a, b: dot(a, b) + own[a] + own[b]

        return fitted

    return fit


def _projections(
    halves: Halves, identities: AnyArray, shrinks: Sequence[float | None]
) -> Callable[[Halves], list[Numbers]]:
    owner = np.unique(identities, return_inverse=True)[1]

    def one(half: Array, shrink: float | None) -> Callable[[Array], Numbers]:
        if shrink is None:
            return unit
        half = unit(half)
        matrix = np.linalg.cholesky(np.linalg.inv(_drawn(_within(half, owner), shrink)))
        mean = half.mean(axis=0)
        return lambda rows: unit((unit(rows) - mean) @ matrix)

    maps = [one(half, shrink) for half, shrink in zip(halves, shrinks, strict=True)]
    return lambda others: [along(rows) for along, rows in zip(maps, others, strict=True)]


def _units(halves: Halves) -> list[Numbers]:
    return [unit(half) for half in halves]


def _within(rows: Numbers, owner: AnyArray) -> Numbers:
    """Covariance of the pictures of one person. Shape (D, D)."""
    apart = rows - _means(rows, owner)[owner]
    return np.asarray(apart.T @ apart / (len(rows) - owner.max() - 1), dtype=np.float64)


def _means(rows: Numbers, owner: AnyArray) -> Numbers:
    sums = np.zeros((owner.max() + 1, rows.shape[1]))
    np.add.at(sums, owner, rows)
    return np.asarray(sums / np.bincount(owner)[:, None])


def _drawn(covariance: Numbers, shrink: float) -> Numbers:
    """Towards the round one of the same size."""
    size = len(covariance)
    round_one = np.trace(covariance) / size * np.eye(size)
    return np.asarray((1 - shrink) * covariance + shrink * round_one)


def _joined(halves: Sequence[Numbers], weights: Sequence[float]) -> Numbers:
    parts = [half * np.sqrt(weight) for half, weight in zip(halves, weights, strict=True)]
    return np.concatenate(parts, axis=1)


def _by_dot(rows: Numbers, others: Numbers | None = None) -> Compare:
    others = rows if others is None else others

    def compare(a: AnyArray, b: AnyArray) -> Numbers:
        if len(a) < len(rows) ** 2 / 8:
            return np.asarray((rows[a] * others[b]).sum(axis=1))
        return np.asarray((rows @ others.T)[a, b])

    return compare


def _distance(cosine: Numbers) -> Numbers:
    return np.asarray(np.sqrt(np.maximum(0, 2 - 2 * cosine)))
