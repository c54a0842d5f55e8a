"""The bootstrap over identities for any selection of pairs, not only for all pairs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from model.types import AnyArray, Array
from training.evaluation.intervals import Interval, quantiles, union, wilson

_BLOCK = 2048


def pairs_interval(errors: AnyArray, trials: AnyArray, draws: Array) -> Interval:
    """The bootstrap's 95 % interval of errors / trials; never narrower than Wilson's.

    A pair counts as often as the product of the draws of its two identities.

    Args:
        errors: The two identities of each pair that was decided wrongly. Shape (E, 2).
        trials: Drawn pairs in each resample, from `drawn_pairs`, the number of
            pairs before it. Shape (RESAMPLES + 1,).
        draws: From `draws_of`.
    """
    wrong = drawn_pairs(errors, draws)
    with np.errstate(invalid="ignore", divide="ignore"):
        resampled = wrong[1:] / trials[1:]
    return union(quantiles(resampled), wilson(float(wrong[0]), float(trials[0])))


def drawn_pairs(pairs: AnyArray, draws: Array) -> NDArray[np.float64]:
    """How many of the pairs there are, and how many in each resample.

    Args:
        pairs: Two different identities each. Shape (P, 2), int.
        draws: From `draws_of`. Shape (RESAMPLES, identities).

    Returns:
        Shape (RESAMPLES + 1,); the first is P.
    """
    total = np.zeros(len(draws) + 1)
    total[0] = len(pairs)
    present = np.zeros(draws.shape[1], dtype=np.bool_)
    present[pairs] = True
    numbers = np.cumsum(present) - 1
    ours = draws[:, present]
    width = ours.shape[1]
    first, second = numbers[pairs[:, 0]], numbers[pairs[:, 1]]
    for at in range(0, width, _BLOCK):
        # As a matrix of counts, sum_ij draws_i counts_ij draws_j is one product.
        rows = min(_BLOCK, width - at)
        here = (first >= at) & (first < at + rows) if width > _BLOCK else slice(None)
        flat = (first[here] - at) * width + second[here]
        counts = np.bincount(flat, minlength=rows * width).astype(np.float32).reshape(rows, width)
        reached = ours @ counts.T
        total[1:] += np.einsum("rw,rw->r", ours[:, at : at + rows], reached, dtype=np.float64)
    return total
