"""A small siamese network from scratch: two twin towers and the contrastive loss.

    chip 32 x 32 x 3 - conv 8 of 5 x 5, relu, pool - conv 16 of 5 x 5, relu, pool - dense 32

(or other numbers of filters and another size of the embedding.)

Both chips of a pair go through the same tower, so a tower's gradient is the sum
of what comes back along both. Pairs of one person are pulled together, pairs of
two are pushed apart up to a margin.
"""

from __future__ import annotations

import numpy as np

from training.scratch.activations import relu, relu_slope
from training.scratch.conv import conv_filter_gradients, conv_forward, conv_input_gradient
from training.scratch.pool import pool_backward, pool_forward
from training.scratch.types import Float, Parameters

CHIP_SIZE = (32, 32, 3)
MARGIN = 1.0
# Under the root, where the slope at distance 0 would be infinite.
_TINY = 1e-12


def init_tower(seed: int = 1, filters: tuple[int, int] = (8, 16), size: int = 32) -> Parameters:
    """Weights W1, W2 (filters), W3 (dense) and biases b1, b2, b3 of zero.

    Args:
        filters: How many the two convolutions have.
        size: D, the length of an embedding.

    Normal with the variance 2 / inputs (He et al., 2015): the standard normal
    of the dense network would blow up a sum over hundreds of inputs. The last layer is a
    tenth of that, so that distances begin at about the margin: from far beyond
    it the first steps would overshoot.
    """
    generator = np.random.RandomState(seed)
    first, second = filters
    # After two convolutions and poolings, 5 x 5 places are left of 32 x 32.
    shapes = [(5, 5, 3, first), (5, 5, first, second), (25 * second, size)]
    parameters: Parameters = {}
    for i, shape in enumerate(shapes, start=1):
        scale = np.sqrt(2.0 / np.prod(shape[:-1]))
        parameters[f"W{i}"] = generator.standard_normal(shape) * scale
        parameters[f"b{i}"] = np.zeros(shape[-1])
    parameters["W3"] /= 10.0
    return parameters


def tower_forward(X: Float, parameters: Parameters) -> dict[str, Float]:
    """All that `tower_backward` needs; E are the embeddings, shape (m, D).

    Args:
        X: Chips. Shape (m, 32, 32, 3).
    """
    A1 = relu(conv_forward(X, parameters["W1"], parameters["b1"]))
    P1 = pool_forward(A1)
    A2 = relu(conv_forward(P1, parameters["W2"], parameters["b2"]))
    P2 = pool_forward(A2).reshape(len(X), -1)
    E = P2 @ parameters["W3"] + parameters["b3"]
    return {"X": X, "A1": A1, "P1": P1, "A2": A2, "P2": P2, "E": E}


def tower_backward(dE: Float, seen: dict[str, Float], parameters: Parameters) -> Parameters:
    """The gradients dW1, db1, ..., db3, from that of the embeddings. dE: (m, D)."""
    dW3, db3 = seen["P2"].T @ dE, dE.sum(axis=0)
    A2 = seen["A2"]
    m, height, width, filters = A2.shape
    dP2 = (dE @ parameters["W3"].T).reshape(m, (height + 1) // 2, (width + 1) // 2, filters)
    dZ2 = pool_backward(dP2, A2) * relu_slope(A2)
    dW2, db2 = conv_filter_gradients(dZ2, seen["P1"], parameters["W2"])
    dP1 = conv_input_gradient(dZ2, seen["P1"], parameters["W2"])
    dZ1 = pool_backward(dP1, seen["A1"]) * relu_slope(seen["A1"])
    dW1, db1 = conv_filter_gradients(dZ1, seen["X"], parameters["W1"])
    return {"dW1": dW1, "db1": db1, "dW2": dW2, "db2": db2, "dW3": dW3, "db3": db3}


def distances(one: Float, other: Float) -> Float:
    """Euclidean distance of each pair of embeddings (m, D); lower is more alike. Shape (m,)."""
    return np.asarray(np.sqrt(((one - other) ** 2).sum(axis=1) + _TINY))


def contrastive_loss(one: Float, other: Float, same: Float) -> tuple[float, Float]:
    """The loss, and its gradient by `one` (that by `other` is its negative).

        loss = mean(same * d^2 + (1 - same) * max(0, MARGIN - d)^2)

    Args:
        one, other: Embeddings of the two chips of each pair. Shape (m, D).
        same: 1 where both are one person, else 0. Shape (m,).

    Source:
        Hadsell, Chopra and LeCun (2006), without their factors of one half.
    """
    d = distances(one, other)
    short = np.maximum(0.0, MARGIN - d)
    loss = float(np.mean(same * d**2 + (1.0 - same) * short**2))
    slope = 2.0 * (same - (1.0 - same) * short / d) / len(d)
    return loss, slope[:, np.newaxis] * (one - other)


def siamese_step(
    one: Float, other: Float, same: Float, parameters: Parameters
) -> tuple[float, Parameters]:
    """The loss of pairs of chips (m, 32, 32, 3) and the gradients of the shared tower."""
    # Both twins in one pass: the tower's gradients add up over examples by themselves.
    seen = tower_forward(np.concatenate([one, other]), parameters)
    m = len(same)
    loss, gradient = contrastive_loss(seen["E"][:m], seen["E"][m:], same)
    return loss, tower_backward(np.concatenate([gradient, -gradient]), seen, parameters)
