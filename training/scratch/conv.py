"""Convolution, forward and backward, by im2col.

Each patch that the filter sees becomes a row, and the convolution one matrix
product. Images are (m, H, W, C), example first, as everywhere outside the
paper's dense network, where an example is a column. No padding, stride 1.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from training.scratch.types import Float


def im2col(X: Float, kh: int, kw: int) -> Float:
    """Every patch of kh x kw pixels as a row.

    Args:
        X: Shape (m, H, W, C).

    Returns:
        Rows in the order (example, row, column), each in the order (row, column,
        channel) of its patch. Shape (m * (H - kh + 1) * (W - kw + 1), kh * kw * C).
    """
    patches = sliding_window_view(X, (kh, kw), axis=(1, 2))
    return patches.transpose(0, 1, 2, 4, 5, 3).reshape(-1, kh * kw * X.shape[3])


def conv_forward(X: Float, W: Float, b: Float) -> Float:
    """The filters' answers: Z[m,i,j,f] = b[f] + sum_abc X[m,i+a,j+b,c] W[a,b,c,f].

    Args:
        X: Shape (m, H, W, C).
        W: Filters. Shape (kh, kw, C, F).
        b: Shape (F,).

    Returns:
        Shape (m, H - kh + 1, W - kw + 1, F).
    """
    kh, kw, _, F = W.shape
    m, height, width, _ = X.shape
    Z = im2col(X, kh, kw) @ W.reshape(-1, F) + b
    return Z.reshape(m, height - kh + 1, width - kw + 1, F)


def conv_filter_gradients(dZ: Float, X: Float, W: Float) -> tuple[Float, Float]:
    """The gradients dW and db, shaped as W and b, from that of `conv_forward`'s answer.

    Summed over the examples; who wants a mean divides dZ by their number.
    """
    kh, kw, _, F = W.shape
    flat = dZ.reshape(-1, F)
    return (im2col(X, kh, kw).T @ flat).reshape(W.shape), flat.sum(axis=0)


def conv_input_gradient(dZ: Float, X: Float, W: Float) -> Float:
    """The gradient dX, shaped as X; apart, since a first layer has no use for it."""
    kh, kw, _, _ = W.shape
    _, height, width, _ = dZ.shape
    dX = np.zeros_like(X)
    # The way back of im2col: a pixel gathers from all patches that it was part of.
    for a in range(kh):
        for b in range(kw):
            dX[:, a : a + height, b : b + width] += dZ @ W[a, b].T
    return dX
