"""A fixed tight frame: directions along which an L1 distance acts as an L2 one.

The paper's siamese head measures the L1 distance between two embeddings. SFace
was trained for the angle between them, and on its own 128 axes the L1 distance
is a poorer judge (docs/decisions/0002-l1-head.md has the figures). Seen along
many directions spread evenly over the sphere, the mean of |f_k . v| is a
constant times |v|, so the L1 distance of the projections orders pairs as the
angle does.

The directions are orthonormal bases, each the Hadamard matrix with signs
flipped, H D1 H D2. The signs come from SHAKE-128, so that every machine makes
the same frame.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np
from numpy.typing import NDArray

from model.types import Array

DIRECTIONS = 2048
"""How many directions a frame has, where the embedding has not more axes itself."""

SEED = "semblance frame 1"


def tight_frame(size: int, bases: int | None = None, seed: str = SEED) -> Array:
    """Directions as columns; their outer products sum to the identity.

    Args:
        size: Axes D of the embedding.
        bases: Orthonormal bases B to put side by side; None for as many as make
            `DIRECTIONS` columns, and one at least.
        seed: Names the frame.

    Returns:
        Shape (D, K), K = B D', D' the next power of two above D. float32, with
        F F^T = 1, so that a projection keeps lengths.
    """
    full = 1 << (size - 1).bit_length()
    bases = bases or max(1, DIRECTIONS // full)
    hadamard = _hadamard(full)
    signs = _signs(f"{seed} {size}", 2 * bases * full).reshape(bases, 2, full)
    blocks = [hadamard * outer @ hadamard * inner for outer, inner in signs]
    frame = np.concatenate(blocks)[:, :size].T / np.sqrt(bases)
    return np.ascontiguousarray(frame, dtype=np.float32)


def l1_of_unit_length(frame: Array) -> float:
    """The L1 distance along a frame that two embeddings one apart have, in the mean.

        E sum_k |f_k . v| = sum_k |f_k| gamma(D / 2) / (sqrt(pi) gamma((D + 1) / 2)),   |v| = 1

    over all v of the sphere. A head's weight for plain lengths, divided by it, is the
    weight of each direction.

    Args:
        frame: As `tight_frame` makes it. Shape (D, K).
    """
    size = len(frame)
    mean = math.exp(math.lgamma(size / 2) - math.lgamma((size + 1) / 2)) / math.sqrt(math.pi)
    return float(np.linalg.norm(frame, axis=0).sum()) * mean


def _hadamard(size: int) -> NDArray[np.float64]:
    """Sylvester's orthonormal Hadamard matrix; `size` is a power of two."""
    matrix = np.ones((1, 1))
    while len(matrix) < size:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return np.asarray(matrix / np.sqrt(size), dtype=np.float64)


def _signs(seed: str, count: int) -> NDArray[np.float64]:
    digest = hashlib.shake_128(seed.encode()).digest(-(-count // 8))
    bits = np.unpackbits(np.frombuffer(digest, dtype=np.uint8))[:count]
    return np.asarray(1.0 - 2.0 * bits, dtype=np.float64)
