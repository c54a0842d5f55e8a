"""The loops that teach the siamese network.

`learn_siamese` is the plain one: pairs, the contrastive loss, gradient descent.
`learn_from_batches` learns more from each step: every chip is compared with every
other of its batch, chips are mirrored and shifted, and Adam takes the steps.
"""

from __future__ import annotations

import numpy as np
from rich.progress import track

from model.types import AnyArray
from training.scratch.adam import Adam
from training.scratch.batch_loss import batch_loss, unit_backward, unit_length
from training.scratch.chips import draw_batch, draw_pairs
from training.scratch.network import update
from training.scratch.siamese import init_tower, siamese_step, tower_backward, tower_forward
from training.scratch.types import Float, Parameters
from training.scratch.variations import varied


def learn_siamese(
    chips: Float,
    identities: AnyArray,
    learning_rate: float = 0.02,
    n_iter: int = 500,
    *,
    batch: int = 32,
    seed: int = 1,
    start: Parameters | None = None,
    quiet: bool = False,
) -> tuple[Parameters, list[float]]:
    """The tower's parameters after gradient descent, and the loss of each iteration.

    Args:
        chips: As `read_chips` makes them. Shape (m, 32, 32, 3).
        identities: Who each chip shows. Shape (m,).
        n_iter: Number of steps.
        batch: Pairs in each step, drawn afresh, half of them of one person.
        start: What to begin with, or None for `init_tower`.

    Raises:
        ValueError: If learning diverges.
    """
    parameters, losses = start or init_tower(seed), []
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


def learn_from_batches(
    chips: Float,
    identities: AnyArray,
    learning_rate: float = 0.002,
    n_iter: int = 500,
    *,
    batch: int = 64,
    seed: int = 1,
    start: Parameters | None = None,
    quiet: bool = False,
) -> tuple[Parameters, list[float]]:
    """The same by `batch_loss`, for embeddings that are brought to unit length.

    Args:
        learning_rate: Of Adam, falling to 0 along half a cosine.
        batch: Chips in each step, as `draw_batch` draws them.

    Raises:
        ValueError: If learning diverges.
    """
    parameters, losses = start or init_tower(seed), []
    generator, adam = np.random.default_rng(seed), Adam()
    for i in track(range(n_iter), "learn", disable=quiet):
        rows = draw_batch(identities, batch, generator)
        X = varied(chips[rows], generator)
        with np.errstate(over="ignore", invalid="ignore"):
            seen = tower_forward(X, parameters)
            U = unit_length(seen["E"])
            loss, dU = batch_loss(U, identities[rows])
            gradients = tower_backward(unit_backward(dU, seen["E"]), seen, parameters)
        if not np.isfinite(loss):
            raise ValueError(f"learning diverged at a rate of {learning_rate:g}; try a lower one")
        falling = 0.5 * learning_rate * (1.0 + np.cos(np.pi * i / n_iter))
        parameters = adam.update(parameters, gradients, falling)
        losses.append(loss)
    return parameters, losses
