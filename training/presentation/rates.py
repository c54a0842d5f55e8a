"""Error rates of attack detection, as in ISO/IEC 30107-3.

APCER(kind)   share of attacks of this kind whose score is not above the threshold
BPCER         share of live frames whose score is above it
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.presentation import Measured
from model.types import AnyArray, Array
from training.evaluation.intervals import draws_of, share_interval
from training.presentation.frames import Frames

_SEED = 20


def threshold_at(live_scores: Array, bpcer: float) -> float:
    """The lowest threshold at which at most this share of live frames is above it.

    Args:
        live_scores: Shape (N,), N >= 1.
    """
    ordered = np.sort(live_scores)[::-1]
    return float(ordered[min(int(bpcer * len(ordered)), len(ordered) - 1)])


def rates_at(
    frames: Frames, scores: Array, threshold: float
) -> tuple[dict[str, Measured], Measured]:
    """APCER by kind of attack, and BPCER; intervals by bootstrap over people."""
    people = np.array(frames.people)
    kinds = np.array(frames.kinds)
    flagged = scores > threshold
    apcer = {
        kind: _measured(~flagged, frames.attack & (kinds == kind), people)
        for kind in sorted(set(kinds[frames.attack].tolist()))
    }
    return apcer, _measured(flagged, ~frames.attack, people)


def equal_error_rate(scores: Array, attack: AnyArray) -> float:
    """Where the share of attacks that pass is that of live frames that are flagged.

    Args:
        scores: Shape (N,). attack: Shape (N,), of both kinds.
    """
    thresholds = np.unique(np.concatenate([[-np.inf], scores]))
    lives, attacks = np.sort(scores[~attack]), np.sort(scores[attack])
    passed = np.searchsorted(attacks, thresholds, side="right") / len(attacks)
    flagged = 1 - np.searchsorted(lives, thresholds, side="right") / len(lives)
    nearest = int(np.argmin(np.abs(passed - flagged)))
    return float((passed[nearest] + flagged[nearest]) / 2)


def _measured(errors: AnyArray, counted: AnyArray, people: AnyArray) -> Measured:
    names: Sequence[str] = sorted(set(people[counted].tolist()))
    wrong = np.array([np.sum(errors & counted & (people == name)) for name in names])
    tried = np.array([np.sum(counted & (people == name)) for name in names])
    draws = draws_of(np.ones(len(names), dtype=np.bool_), _SEED)
    low, high = share_interval(wrong, tried, draws)
    total = int(tried.sum())
    return Measured(rate=float(wrong.sum()) / total, interval=(low, high), frames=total)
