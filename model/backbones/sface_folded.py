"""SFace as it is served: batch norms folded into the convolutions, 8-bit arithmetic.

The same function as `model.backbones.sface`, in the form that is computed fastest, with
the channels evened out so that 8 bits do (docs/decisions/0015-eight-bits.md).
"""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np

from model.backbones.eight_bit import Bounds, conv2d, dense, depthwise, round_input
from model.backbones.even_channels import Sizes, Step, evened_out
from model.backbones.sface import (
    BLOCK_EPSILON,
    BLOCKS,
    CHIP_SIZE,
    EMBEDDING_SIZE,
    HEAD_EPSILON,
    OFFSET,
    SCALE,
)
from model.types import Array

ARCHITECTURE = "sface-folded-1"

_LAST = "embedding"
_LAST_CELLS = 7 * 7


def build_sface_folded(bounds: Bounds) -> keras.Model:
    """The tower with random weights: uint8 chips in, raw embeddings out.

    Args:
        bounds: Of the inputs of layers that are to be rounded; none leaves all float32.

    Returns:
        A Keras model, (N, 112, 112, 3) uint8 RGB -> (N, 128) float32, not unit length.
    """
    chips = keras.Input((*CHIP_SIZE, 3), dtype="uint8", name="chips")
    x = keras.layers.Rescaling(SCALE, OFFSET, name="scale")(chips)
    x = conv2d(bounds, 32, 3, "conv_1", padding="same")(round_input(x, bounds, "conv_1"))
    x = _prelu(x, "conv_1")
    for number, (channels, stride) in enumerate(BLOCKS, start=2):
        name = f"conv_{number}_dw"
        x = round_input(x, bounds, name)
        # "same" padding with stride 2 would pad right and bottom only.
        x = keras.layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
        x = _prelu(depthwise(bounds, 3, name, strides=stride)(x), name)
        name = f"conv_{number}"
        x = conv2d(bounds, channels, 1, name)(round_input(x, bounds, name))
        x = _prelu(x, name)
    x = keras.layers.Flatten(name="flatten")(round_input(x, bounds, _LAST))
    x = dense(bounds, EMBEDDING_SIZE, _LAST)(x)
    return keras.Model(chips, x, name="sface")


def load_sface_folded(
    weights: Mapping[str, Array], sizes: Sizes | None = None, bounds: Bounds | None = None
) -> keras.Model:
    """The tower with the published weights.

    Args:
        weights: As for `model.backbones.sface.load_sface`.
        sizes: To even the channels out by; None leaves them as published.
        bounds: As for `build_sface_folded`; they hold for the channels evened out.

    Raises:
        KeyError: If a tensor is absent.
        ValueError: If a tensor has the wrong shape.
    """
    steps = folded(weights)
    if sizes is not None:
        for place in range(1, len(steps)):
            before, after = steps[place - 1 : place + 1]
            steps[place - 1 : place + 1] = evened_out(before, after, sizes[after.name])
    tower = build_sface_folded(bounds or {})
    for step in steps:
        tower.get_layer(step.name).set_weights([step.kernel, step.bias])
    for name in (step.name for step in steps[:-1]):
        slopes = weights[f"{name}_relu_gamma"].transpose(1, 2, 0)
        tower.get_layer(f"{name}_relu").set_weights([slopes])
    return tower


def folded(weights: Mapping[str, Array]) -> list[Step]:
    """All steps of the network in their order, batch norms put into them."""
    names = ["conv_1"]
    for number in range(2, len(BLOCKS) + 2):
        names += [f"conv_{number}_dw", f"conv_{number}"]
    return [*(_convolution(weights, name) for name in names), _dense(weights)]


def _prelu(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    return keras.layers.PReLU(shared_axes=[1, 2], name=f"{name}_relu")(x)


def _convolution(weights: Mapping[str, Array], name: str) -> Step:
    scale, shift = _norm(weights, f"{name}_batchnorm", BLOCK_EPSILON)
    filters = weights[f"{name}_conv2d_weight"] * scale[:, None, None, None]
    if name.endswith("_dw"):
        return Step(name, filters.transpose(2, 3, 0, 1), shift, depthwise=True)
    return Step(name, filters.transpose(2, 3, 1, 0), shift)


def _dense(weights: Mapping[str, Array]) -> Step:
    """Both batch norms of the head in the layer between them."""
    before, shift_before = _norm(weights, "bn1", HEAD_EPSILON)
    after, shift_after = _norm(weights, "fc1", HEAD_EPSILON)
    # The published flattening runs channel, row, column; ours row, column, channel.
    kernel = weights["pre_fc1_weight"].reshape(EMBEDDING_SIZE, len(before), -1)
    bias = weights["pre_fc1_bias"] + np.einsum("ocp,c->o", kernel, shift_before)
    kernel = kernel * before[None, :, None] * after[:, None, None]
    flat = kernel.transpose(2, 1, 0).reshape(-1, EMBEDDING_SIZE)
    return Step(_LAST, np.ascontiguousarray(flat), bias * after + shift_after, cells=_LAST_CELLS)


def _norm(weights: Mapping[str, Array], name: str, epsilon: float) -> tuple[Array, Array]:
    """A batch norm as a scale and a shift. Shape (C,) each."""
    gamma, beta, mean, variance = (
        weights[f"{name}_{part}"] for part in ("gamma", "beta", "moving_mean", "moving_var")
    )
    scale = gamma / np.sqrt(variance + epsilon)
    return scale, beta - mean * scale
