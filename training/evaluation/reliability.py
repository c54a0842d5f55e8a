"""Whether a score is a probability: reliability, Brier score, log loss, calibration error.

All figures are for a stated prior, the share of genuine pairs among those that the
system is asked about: genuine and impostor pairs are weighted so that they make it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.types import AnyArray

RELIABILITY_BINS = 15
# A float32 score of exactly 0 or 1 is as sure as this.
_LEAST = 1e-7


@dataclass(frozen=True)
class ReliabilityBin:
    """Scores of one part of [0, 1].

    Attributes:
        score: Their weighted mean.
        genuine_share: Weighted share of genuine pairs among them.
        weight: Their share of the weight of all pairs.
        pairs: How many there are.
    """

    score: float
    genuine_share: float
    weight: float
    pairs: int


@dataclass(frozen=True)
class Reliability:
    """How well scores stand for probabilities; lower is better, 0 is perfect.

    Attributes:
        prior: Share of genuine pairs that the figures are for.
        brier: Mean square of score - truth; always saying the prior gets
            prior * (1 - prior).
        log_loss: Mean of -log of the probability of what was true, in nats.
        ece: Expected calibration error: mean distance of a bin's score and its
            share of genuine pairs.
        bins: Those with pairs, ascending.

    Source:
        Brier (1950); Naeini, Cooper and Hauskrecht (2015) for the binned error.
    """

    prior: float
    brier: float
    log_loss: float
    ece: float
    bins: tuple[ReliabilityBin, ...]


def reliability_of(scores: AnyArray, same: NDArray[np.bool_], prior: float = 0.5) -> Reliability:
    """The figures of scores against the truth.

    Args:
        scores: In [0, 1]. Shape (P,).
        same: Shape (P,); both kinds must be there.
        prior: In (0, 1).
    """
    weights = prior_weights(same, prior)
    given = scores.astype(np.float64)
    sure = np.clip(given, _LEAST, 1 - _LEAST)
    losses = -np.log(np.where(same, sure, 1 - sure))
    place = np.minimum((given * RELIABILITY_BINS).astype(int), RELIABILITY_BINS - 1)
    bins = []
    for number in np.unique(place):
        inside = place == number
        weight = float(weights[inside].sum())
        bins.append(
            ReliabilityBin(
                score=float((weights[inside] * given[inside]).sum() / weight),
                genuine_share=float((weights[inside] * same[inside]).sum() / weight),
                weight=weight,
                pairs=int(inside.sum()),
            )
        )
    return Reliability(
        prior=prior,
        brier=float((weights * (given - same) ** 2).sum()),
        log_loss=float((weights * losses).sum()),
        ece=float(sum(one.weight * abs(one.score - one.genuine_share) for one in bins)),
        bins=tuple(bins),
    )


def prior_weights(same: NDArray[np.bool_], prior: float) -> NDArray[np.float64]:
    """Weights that sum to 1, those of the genuine pairs to the prior. Shape (P,)."""
    genuine = int(same.sum())
    weights = np.where(same, prior / max(1, genuine), (1 - prior) / max(1, len(same) - genuine))
    return np.asarray(weights, dtype=np.float64)
