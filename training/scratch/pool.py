"""Max-pooling over 2 x 2 pixels, stride 2, `same` padding as in the paper's towers."""

from __future__ import annotations

import numpy as np

from training.scratch.types import Float


def pool_forward(X: Float) -> Float:
    """The largest of each 2 x 2 pixels; at an odd edge, of those that are there.

    Args:
        X: Shape (m, H, W, C).

    Returns:
        Shape (m, ceil(H / 2), ceil(W / 2), C).
    """
    return np.asarray(_windows(X).max(axis=-1))


def pool_backward(dA: Float, X: Float) -> Float:
    """dX, shaped as X: each gradient goes to the pixel that was the largest.

    Where several are equally large, to the first of them in reading order.

    Args:
        dA: Gradient of `pool_forward`'s answer.
        X: What `pool_forward` was given.
    """
    m, height, width, C = X.shape
    first = _windows(X).argmax(axis=-1)[..., np.newaxis]
    windows = np.zeros((*dA.shape, 4))
    np.put_along_axis(windows, first, dA[..., np.newaxis], axis=-1)
    _, rows, columns, _ = dA.shape
    spread = windows.reshape(m, rows, columns, C, 2, 2).transpose(0, 1, 4, 2, 5, 3)
    return spread.reshape(m, 2 * rows, 2 * columns, C)[:, :height, :width]


def _windows(X: Float) -> Float:
    """The four pixels of each window, last. Shape (m, rows, columns, C, 4)."""
    m, height, width, C = X.shape
    # Minus infinity is never the largest.
    edge = ((0, 0), (0, height % 2), (0, width % 2), (0, 0))
    X = np.pad(X, edge, constant_values=-np.inf)
    parts = X.reshape(m, X.shape[1] // 2, 2, X.shape[2] // 2, 2, C)
    return parts.transpose(0, 1, 3, 5, 2, 4).reshape(m, parts.shape[1], parts.shape[3], C, 4)
