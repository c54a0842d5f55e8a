"""Dropout: hidden neurons are silenced at random while learning.

The paper names it as the remedy for over-fitting. This is the inverted form:
what is kept is scaled up by 1 / keep at once, so that a neuron's mean activation
stays what it was, and prediction needs no change at all.
"""

from __future__ import annotations

import numpy as np

from training.scratch.types import Float


def dropout_masks(
    dimensions: list[int], m: int, dropout: float, generator: np.random.Generator
) -> dict[str, Float]:
    """A fresh mask for each hidden layer, named D1, D2, ...

    Args:
        dimensions: [input_size, h1, ..., hn, output_size]; the input and the
            output are never dropped.
        m: Number of examples; each has its own mask.
        dropout: Share of neurons to silence, in [0, 1).

    Returns:
        D_i of shape (n_i, m), each value 0 or 1 / (1 - dropout). Empty if
        dropout is 0.

    Raises:
        ValueError: If `dropout` is not in [0, 1).
    """
    if not 0.0 <= dropout < 1.0:
        raise ValueError(f"expected a dropout from 0 to below 1, found {dropout:g}")
    if dropout == 0.0:
        return {}
    keep = 1.0 - dropout
    return {
        f"D{i}": (generator.random((n, m)) < keep) / keep
        for i, n in enumerate(dimensions[1:-1], start=1)
    }
