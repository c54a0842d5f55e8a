"""Error rates of verification after ISO/IEC 19795-1, with their intervals.

Scores are "higher is more alike"; a pair matches when its score is strictly
above the threshold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.contract import OperatingPoint
from model.types import AnyArray, Array

_RESAMPLES = 1000
_LEVEL = 0.95


@dataclass(frozen=True)
class Accuracy:
    """Share of right verdicts: mean over folds, and its standard error."""

    mean: float
    standard_error: float


@dataclass(frozen=True)
class Pairs:
    """Scored pairs, each with the two identities (as numbers) it is made of.

    Only impostor pairs worth a look are kept one by one: a false match can only
    be a high score.

    Attributes:
        genuine: Scores of all pairs of one identity. Shape (G,).
        genuine_identity: Shape (G,), int.
        impostor: The highest impostor scores, descending. Shape (I,).
        impostor_identities: Shape (I, 2), int.
        images: Images of each identity; all pairs between them were scored.
    """

    genuine: Array
    genuine_identity: NDArray[np.int64]
    impostor: Array
    impostor_identities: NDArray[np.int64]
    images: NDArray[np.int64]

    @property
    def impostor_pairs(self) -> int:
        return int(_impostor_pairs(self.images))


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


def operating_points(pairs: Pairs, rates: tuple[float, ...], seed: int = 0) -> list[OperatingPoint]:
    """The FMR table: for each rate the lowest threshold that keeps it.

    Intervals come from a bootstrap over identities, since pairs that share a
    person are not independent: identities are drawn with replacement, and a pair
    counts as often as the product of its identities' draws.

    Raises:
        ValueError: If there are too few impostor pairs for a rate.
    """
    draws = _draws(len(pairs.images), seed)
    total = _impostor_pairs(pairs.images)
    totals = _impostor_pairs(pairs.images, draws)
    genuine_draws = draws[:, pairs.genuine_identity]
    points = []
    for rate in rates:
        allowed = int(rate * total)
        if allowed < 1 or allowed >= len(pairs.impostor):
            raise ValueError(f"{total:.0f} impostor pairs are too few for an FMR of {rate:g}")
        threshold = float(pairs.impostor[allowed])
        false = pairs.impostor_identities[pairs.impostor > threshold]
        missed = pairs.genuine <= threshold
        false_draws = np.array([(row[false[:, 0]] * row[false[:, 1]]).sum() for row in draws])
        with np.errstate(invalid="ignore"):
            fmr_low, fmr_high = _interval(false_draws / totals)
            fnmr_low, fnmr_high = _interval(
                (genuine_draws * missed).sum(axis=1) / genuine_draws.sum(axis=1)
            )
        points.append(
            OperatingPoint(
                fmr=rate,
                threshold=threshold,
                fmr_measured=len(false) / float(total),
                fmr_interval=(fmr_low, fmr_high),
                fnmr=float(np.mean(missed)),
                fnmr_interval=(fnmr_low, fnmr_high),
            )
        )
    return points


def _draws(identities: int, seed: int) -> Array:
    """How often each identity was drawn, in each resample."""
    generator = np.random.default_rng(seed)
    share = np.full(identities, 1 / identities)
    return generator.multinomial(identities, share, size=_RESAMPLES).astype(np.float32)


def _impostor_pairs(images: AnyArray, draws: Array | None = None) -> AnyArray:
    """Pairs of images of two different identities, weighted by the draws."""
    weighted = images if draws is None else draws * images
    squares = images.astype(np.float64) ** 2 if draws is None else (draws * images) ** 2.0
    total: AnyArray = (weighted.sum(axis=-1) ** 2.0 - squares.sum(axis=-1)) / 2
    return total


def _interval(values: AnyArray) -> tuple[float, float]:
    tail = (1 - _LEVEL) / 2
    low, high = np.nanquantile(values, [tail, 1 - tail])
    return float(low), float(high)
