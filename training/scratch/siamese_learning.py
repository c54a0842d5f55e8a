"""The loop that teaches the siamese network, and how well it tells pairs apart."""

from __future__ import annotations

import numpy as np
from rich.progress import track

from model.types import AnyArray
from training.scratch.chips import draw_pairs
from training.scratch.network import update
from training.scratch.siamese import distances, init_tower, siamese_step, tower_forward
from training.scratch.types import Float, Parameters

_BLOCK = 256


def learn_siamese(
    chips: Float,
    identities: AnyArray,
    learning_rate: float = 0.02,
    n_iter: int = 500,
    *,
    batch: int = 32,
    seed: int = 1,
    quiet: bool = False,
) -> tuple[Parameters, list[float]]:
    """The tower's parameters after gradient descent, and the loss of each iteration.

    Args:
        chips: As `read_chips` makes them. Shape (m, 32, 32, 3).
        identities: Who each chip shows. Shape (m,).
        n_iter: Number of steps.
        batch: Pairs in each step, drawn afresh, half of them of one person.

    Raises:
        ValueError: If learning diverges.
    """
    parameters, losses = init_tower(seed), []
    generator = np.random.default_rng(seed)
    for _ in track(range(n_iter), "learn", disable=quiet):
        one, other, same = draw_pairs(identities, batch, generator)
        with np.errstate(over="ignore", invalid="ignore"):
            loss, gradients = siamese_step(chips[one], chips[other], same, parameters)
        if not np.isfinite(loss):
            raise ValueError(f"learning diverged at a rate of {learning_rate:g}; try a lower one")
        parameters = update(parameters, gradients, learning_rate)
        losses.append(loss)
    return parameters, losses


def pair_accuracy(
    chips: Float, identities: AnyArray, parameters: Parameters, *, pairs: int = 4000, seed: int = 2
) -> tuple[float, float]:
    """How often a threshold on the distance is right on drawn pairs, half of one person.

    Returns:
        Accuracy at the best threshold, and that threshold. The threshold is
        chosen on these very pairs, so the accuracy flatters a little.
    """
    embeddings = np.concatenate(
        [
            tower_forward(chips[start : start + _BLOCK], parameters)["E"]
            for start in range(0, len(chips), _BLOCK)
        ]
    )
    one, other, same = draw_pairs(identities, pairs, np.random.default_rng(seed))
    d = distances(embeddings[one], embeddings[other])
    order = np.argsort(d)
    right = np.cumsum(2 * same[order] - 1) + np.sum(same == 0)
    best = int(np.argmax(right))
    return float(right[best] / pairs), float(d[order][best])
