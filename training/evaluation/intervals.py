"""95 % intervals of rates: Wilson's, and a bootstrap over identities.

A false match rate of all pairs of some people rests on far fewer people than
pairs: pairs that share a person are not independent. The bootstrap draws people,
not pairs; a pair counts as often as the product of its people's draws. It is
never given as narrower than Wilson's interval, which takes every pair for
independent: with no error at all, the bootstrap alone would claim certainty.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from model.types import AnyArray, Array

RESAMPLES = 1000
_LEVEL = 0.95
_Z = 1.959963984540054
_BLOCK = 2048

Interval = tuple[float, float]


def wilson(errors: float, trials: float) -> Interval:
    """The 95 % score interval of a rate from independent trials.

    Returns:
        (low, high); (0, 1) without a trial.

    Source:
        Wilson, "Probable Inference, the Law of Succession, and Statistical
        Inference", JASA 1927.
    """
    if trials <= 0:
        return 0.0, 1.0
    share = errors / trials
    spread = _Z / trials * math.sqrt(errors * (1 - share) + _Z * _Z / 4)
    middle = share + _Z * _Z / (2 * trials)
    scale = 1 + _Z * _Z / trials
    low, high = (middle - spread) / scale, (middle + spread) / scale
    # Rounding must not put the rate itself outside.
    return max(0.0, min(low, share)), min(1.0, max(high, share))


def union(one: Interval, other: Interval) -> Interval:
    """The smallest interval that holds both."""
    return min(one[0], other[0]), max(one[1], other[1])


def draws_of(present: NDArray[np.bool_], seed: int) -> Array:
    """How often each identity was drawn, in each resample; those not present never are.

    Args:
        present: Shape (identities,).

    Returns:
        Whole numbers. Shape (RESAMPLES, identities).
    """
    generator = np.random.default_rng(seed)
    share = present / present.sum()
    return generator.multinomial(int(present.sum()), share, size=RESAMPLES).astype(np.float32)


def share_interval(errors: AnyArray, trials: AnyArray, draws: Array) -> Interval:
    """The bootstrap's interval of sum(errors) / sum(trials), counted by identity.

    Args:
        errors, trials: Of each identity. Shape (identities,).
        draws: From `draws_of`.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        resampled = (draws @ errors.astype(np.float32)) / (draws @ trials.astype(np.float32))
    return union(quantiles(resampled), wilson(float(errors.sum()), float(trials.sum())))


def impostor_interval(
    false: NDArray[np.int64], images: NDArray[np.int64], draws: Array
) -> Interval:
    """The bootstrap's interval of a false match rate over all pairs.

    Args:
        false: The two identities of each false match. Shape (F, 2).
        images: Pictures of each identity. Shape (identities,).
        draws: From `draws_of`.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        resampled = _drawn_pairs(false, draws) / impostor_pairs(images, draws)
    return union(quantiles(resampled), wilson(len(false), float(impostor_pairs(images))))


def impostor_pairs(images: AnyArray, draws: Array | None = None) -> AnyArray:
    """Pairs of pictures of two different identities, weighted by the draws.

    Returns:
        A number, or one for each resample. Shape () or (RESAMPLES,).
    """
    weighted = images.astype(np.float64) if draws is None else draws * images.astype(np.float64)
    total: AnyArray = (weighted.sum(axis=-1) ** 2 - (weighted**2).sum(axis=-1)) / 2
    return total


def quantiles(values: AnyArray) -> Interval:
    """The middle 95 % of resampled rates; resamples without a pair are left out."""
    known = values[np.isfinite(values)]
    if not len(known):
        return 0.0, 1.0
    tail = (1 - _LEVEL) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(low), float(high)


def _drawn_pairs(false: NDArray[np.int64], draws: Array) -> AnyArray:
    """Sum over pairs (i, j) of draws[i] * draws[j], as products of matrices."""
    total = np.zeros(len(draws))
    involved, numbers = np.unique(false, return_inverse=True)
    numbers = numbers.reshape(-1, 2)
    ours = draws[:, involved]
    order = np.argsort(numbers[:, 0], kind="stable")
    first, second = numbers[order].T
    for at in range(0, len(involved), _BLOCK):
        width = min(_BLOCK, len(involved) - at)
        low, high = np.searchsorted(first, [at, at + width])
        flat = (first[low:high] - at) * len(involved) + second[low:high]
        counts = np.bincount(flat, minlength=width * len(involved)).astype(np.float32)
        reached = ours @ counts.reshape(width, len(involved)).T
        total += np.einsum("rw,rw->r", ours[:, at : at + width], reached, dtype=np.float64)
    return total
