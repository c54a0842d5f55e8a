"""The activation functions, each beside its slope."""

from __future__ import annotations

import numpy as np

from training.scratch.types import Float


def sigmoid(Z: Float) -> Float:
    """1 / (1 + exp(-Z)), without overflow for any Z.

    The paper's listing prints `1 + (1 + exp(-Z))`, a misprint. Taken as it is
    meant, exp(-Z) still overflows for Z below -709; so exp is only ever taken
    of -|Z|, which is the same number by sigmoid(Z) = exp(Z) / (1 + exp(Z)).

    Args:
        Z: Any shape.

    Returns:
        In [0, 1], the shape of Z.
    """
    small = np.exp(-np.abs(Z))
    return np.asarray(np.where(Z >= 0, 1.0, small) / (1.0 + small))


def relu(Z: Float) -> Float:
    """max(Z, 0)."""
    return np.maximum(Z, 0.0)


def relu_slope(A: Float) -> Float:
    """The slope of relu where it has the value A: 1 above zero, else 0."""
    return (A > 0).astype(np.float64)
