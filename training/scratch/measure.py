"""How well distances tell pairs apart, with a threshold chosen on other pairs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.types import AnyArray
from training.scratch.siamese import distances, tower_forward
from training.scratch.types import Float, Parameters

_BLOCK = 256


@dataclass(frozen=True)
class Pairs:
    """Drawn pairs, as `draw_pairs` gives them.

    Attributes:
        one, other: Rows of the two chips of each pair. Shape (n,).
        same: 1 where both are one person, else 0. Shape (n,).
    """

    one: AnyArray
    other: AnyArray
    same: Float


@dataclass(frozen=True)
class Measured:
    """Shares of right answers at one threshold.

    Attributes:
        threshold: Distance up to which a pair is taken for one person; the best
            one for the training pairs.
        train: On those pairs, so it flatters.
        held_out: On pairs that had no part in learning, nor in the threshold.
    """

    threshold: float
    train: float
    held_out: float


def embed(chips: Float, parameters: Parameters) -> Float:
    """Embeddings of chips (m, 32, 32, 3). Shape (m, D)."""
    blocks = [
        tower_forward(chips[start : start + _BLOCK], parameters)["E"]
        for start in range(0, len(chips), _BLOCK)
    ]
    return np.concatenate(blocks)


def pair_distances(embeddings: Float, pairs: Pairs) -> Float:
    """Distance of each pair; lower is more alike. Shape (n,)."""
    return distances(embeddings[pairs.one], embeddings[pairs.other])


def best_threshold(d: Float, same: Float) -> float:
    """The distance up to which to say "one person" to be right most often.

    Args:
        d: Distances. Shape (n,), n >= 1.
        same: 1 for pairs of one person, else 0. Shape (n,).
    """
    order = np.argsort(d)
    right = np.cumsum(2.0 * same[order] - 1.0)
    # Of equal distances only the last is a place to cut.
    places = np.flatnonzero(np.append(np.diff(d[order]) > 0, True))
    best = places[int(np.argmax(right[places]))]
    if right[best] <= 0:
        # Better to say "one person" of none.
        return float(np.nextafter(d[order[0]], -np.inf))
    return float(d[order[best]])


def share_right(d: Float, same: Float, threshold: float) -> float:
    """Share of pairs told right at a threshold that was chosen elsewhere."""
    return float(np.mean((d <= threshold) == (same == 1)))


def measure(train: tuple[Float, Pairs], held_out: tuple[Float, Pairs]) -> Measured:
    """Chooses the threshold on the first, and counts right answers on both.

    Args:
        train, held_out: Embeddings (m, D) and pairs of their rows.
    """
    d, pairs = pair_distances(*train), train[1]
    threshold = best_threshold(d, pairs.same)
    others = pair_distances(*held_out)
    return Measured(
        threshold,
        share_right(d, pairs.same, threshold),
        share_right(others, held_out[1].same, threshold),
    )
