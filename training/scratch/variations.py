"""Variations of chips, so that the network learns faces and not pictures."""

from __future__ import annotations

import numpy as np

from training.scratch.types import Float

MOST_PX = 2


def varied(X: Float, generator: np.random.Generator) -> Float:
    """Half of the chips mirrored, each shifted by up to MOST_PX pixels either way.

    The pixels at an edge are repeated where a shift leaves room.

    Args:
        X: Chips. Shape (m, H, W, C).
    """
    _, height, width, _ = X.shape
    edge = ((0, 0), (MOST_PX, MOST_PX), (MOST_PX, MOST_PX), (0, 0))
    padded = np.pad(X, edge, mode="edge")
    shifts = generator.integers(0, 2 * MOST_PX + 1, (len(X), 2))
    mirrored = generator.random(len(X)) < 0.5
    made = np.empty_like(X)
    for row, (down, right) in enumerate(shifts):
        chip = padded[row, down : down + height, right : right + width]
        made[row] = chip[:, ::-1] if mirrored[row] else chip
    return made
