"""A contrastive loss over a whole batch: every chip against every other.

A pair says about two chips that they are one person, or not. A batch of m chips
holds m (m - 1) / 2 pairs, and each tower's answer serves in m - 1 of them, so a
step teaches far more for the same work. Near strangers weigh most by themselves.
"""

from __future__ import annotations

import numpy as np

from model.types import AnyArray
from training.scratch.types import Float

TEMPERATURE = 0.1
_TINY = 1e-12


def unit_length(E: Float) -> Float:
    """Each embedding (m, D) divided by its length."""
    return np.asarray(E / _length(E))


def unit_backward(dU: Float, E: Float) -> Float:
    """dE, from the gradient dU of `unit_length(E)`: what would change the length is taken out."""
    U = unit_length(E)
    return np.asarray((dU - U * (U * dU).sum(axis=1, keepdims=True)) / _length(E))


def _length(E: Float) -> Float:
    return np.asarray(np.sqrt((E**2).sum(axis=1, keepdims=True) + _TINY))


def batch_loss(U: Float, identities: AnyArray) -> tuple[float, Float]:
    """The loss, and its gradient dU.

        q[i, j] = softmax of U[i] . U[j] / TEMPERATURE over all j but i
        loss = -mean over i of the mean of log q[i, j] over the j of i's person

    Args:
        U: Embeddings of unit length. Shape (m, D).
        identities: Who each one shows; everybody at least twice. Shape (m,).

    Source:
        Khosla et al., "Supervised Contrastive Learning" (2020), its L_out.
    """
    m = len(U)
    closeness = U @ U.T / TEMPERATURE
    # Nobody is compared with himself.
    np.fill_diagonal(closeness, -np.inf)
    closeness -= closeness.max(axis=1, keepdims=True)
    q = np.exp(closeness)
    q /= q.sum(axis=1, keepdims=True)
    same = (identities[:, np.newaxis] == identities).astype(np.float64)
    np.fill_diagonal(same, 0.0)
    wanted = same / same.sum(axis=1, keepdims=True)
    loss = float(-np.sum(wanted * np.log(q + _TINY)) / m)
    slope = (q - wanted) / (m * TEMPERATURE)
    # U[i] . U[j] depends on both: once as the chip compared, once as the other.
    return loss, slope @ U + slope.T @ U
