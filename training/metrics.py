"""Accuracy over folds, each judged by the best threshold of the others.

Scores are "higher is more alike"; a pair matches when its score is strictly
above the threshold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.types import AnyArray, Array


@dataclass(frozen=True)
class Accuracy:
    """Share of right verdicts: mean over folds, and its standard error."""

    mean: float
    standard_error: float


def fold_accuracy(scores: Array, same: AnyArray, folds: AnyArray) -> Accuracy:
    """LFW's protocol: each fold judged by the best threshold of the others.

    Args:
        scores: Shape (P,).
        same: True for pairs of one person. Shape (P,).
        folds: Number of each pair's fold. Shape (P,).
    """
    right = []
    for fold in np.unique(folds):
        held_out = folds == fold
        threshold = best_threshold(scores[~held_out], same[~held_out])
        # In double precision, as the threshold is.
        verdicts = scores[held_out].astype(np.float64) > threshold
        right.append(np.mean(verdicts == same[held_out]))
    spread = np.std(right, ddof=1) / np.sqrt(len(right))
    return Accuracy(float(np.mean(right)), float(spread))


def best_threshold(scores: Array, same: AnyArray) -> float:
    """The threshold with the most right verdicts, midway between two scores."""
    order = np.argsort(scores)
    ranked, truth = scores[order].astype(np.float64), same[order].astype(int)
    # Right verdicts when the k lowest are refused.
    right = np.concatenate([[0], np.cumsum(1 - 2 * truth)]) + truth.sum()
    edges = np.concatenate([[ranked[0] - 1], (ranked[1:] + ranked[:-1]) / 2, [ranked[-1] + 1]])
    # No threshold lies between two scores that are equal.
    possible = np.concatenate([[True], ranked[1:] > ranked[:-1], [True]])
    return float(edges[int(np.argmax(np.where(possible, right, -1)))])
