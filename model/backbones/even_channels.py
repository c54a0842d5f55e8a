"""Give all channels of a layer's input about one size, and change nothing else.

A channel may be divided by any positive number where it is made and multiplied by it
where it is used: what lies between (nothing, a ReLU, a PReLU) keeps the ratio. 256 steps
do for channels of one size; for a small one beside a large one they are too coarse.

Source:
    Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias
    Correction", ICCV 2019. That the sizes are measured, and the compromise where the
    kernel has one step for all inputs: Xiao et al., "SmoothQuant", ICML 2023.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from model.types import Array

Sizes = Mapping[str, Array]
"""Largest magnitude of each channel of a layer's input, by the layer's name. Shape (C,)."""

# How much the input's size counts against the kernel's, where both would like their own.
_INPUTS_SHARE = 0.7
_LARGEST_FACTOR = 64.0
_SMALLEST = 1e-6


@dataclass(frozen=True)
class Step:
    """A convolution or a dense layer, batch norm put into it.

    Attributes:
        kernel: (height, width, in, out); depthwise (height, width, in, 1); dense (in, out).
        bias: Shape (out,).
        cells: Of a dense layer: pixels that were flattened, channels running fastest.
        depthwise: Whether each input channel has an output channel of its own.
    """

    name: str
    kernel: Array
    bias: Array
    depthwise: bool = False
    cells: int = 1


def evened_out(before: Step, after: Step, sizes: Array) -> tuple[Step, Step]:
    """Two steps of which one feeds the other, with the channels between them evened out.

    Args:
        sizes: Of the channels between them. Shape (C,).
    """
    factors = _factors(after, sizes)
    by = factors[:, None] if before.depthwise else factors
    divided = replace(before, kernel=before.kernel / by, bias=before.bias / factors)
    multiplied = replace(after, kernel=after.kernel * np.tile(factors, after.cells)[:, None])
    return divided, multiplied


def _factors(step: Step, sizes: Array) -> Array:
    """What to divide each channel by; their geometric mean is about 1. Shape (C,)."""
    wanted = np.log(np.maximum(sizes, _SMALLEST))
    # Each channel of a depthwise kernel has steps of its own, so that nothing is given up.
    if not step.depthwise:
        weights = np.log(np.maximum(_by_input(step, len(sizes)), _SMALLEST))
        wanted = _INPUTS_SHARE * wanted - (1 - _INPUTS_SHARE) * weights
    factors = np.exp(wanted - wanted.mean())
    bounded = np.clip(factors, 1 / _LARGEST_FACTOR, _LARGEST_FACTOR)
    return np.asarray(bounded, dtype=np.float32)


def _by_input(step: Step, channels: int) -> Array:
    """The kernel's largest magnitude for each input channel. Shape (C,)."""
    rows = np.abs(step.kernel).reshape(-1, channels, step.kernel.shape[-1])
    return np.asarray(rows.max(axis=(0, 2)))
