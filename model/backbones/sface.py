"""SFace: the 128-axis tower (MobileFaceNet-like, trained with the SFace loss).

Written as architecture: one stem convolution, thirteen depthwise-separable
blocks (27 convolutions in all, each with batch norm and PReLU), then a fully
connected layer. Chips go in as uint8 RGB; the scaling to about [-1, 1] is the
first layer, so no caller can scale differently.

Source:
    Zhong, Deng, Hu et al., "SFace: Sigmoid-Constrained Hypersphere Loss for
    Robust Face Recognition", IEEE TIP 2021. Weights: OpenCV Zoo, Apache-2.0.
"""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np

from model.types import Array

ARCHITECTURE = "sface-1"
CHIP_SIZE = (112, 112)
EMBEDDING_SIZE = 128

# (output channels, stride) of the depthwise-separable blocks conv_2 .. conv_14.
BLOCKS = (
    (64, 1),
    (128, 2),
    (128, 1),
    (256, 2),
    (256, 1),
    (512, 2),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (512, 1),
    (1024, 2),
    (1024, 1),
)
BLOCK_EPSILON = 1e-3
HEAD_EPSILON = 2e-5
SCALE = 1 / 128
OFFSET = -127.5 / 128


def build_sface() -> keras.Model:
    """The tower with random weights: uint8 chips in, raw embeddings out.

    Returns:
        A Keras model, (N, 112, 112, 3) uint8 RGB -> (N, 128) float32. The output
        is *not* unit length; `model.siamese` normalises it.
    """
    chips = keras.Input((*CHIP_SIZE, 3), dtype="uint8", name="chips")
    x = keras.layers.Rescaling(SCALE, OFFSET, name="scale")(chips)
    x = _conv(x, "conv_1", channels=32)
    for number, (channels, stride) in enumerate(BLOCKS, start=2):
        x = _depthwise(x, f"conv_{number}_dw", stride)
        x = _pointwise(x, f"conv_{number}", channels)
    x = keras.layers.BatchNormalization(epsilon=HEAD_EPSILON, name="bn1")(x)
    x = keras.layers.Dropout(0.4, name="dropout5")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(EMBEDDING_SIZE, name="pre_fc1")(x)
    x = keras.layers.BatchNormalization(epsilon=HEAD_EPSILON, name="fc1")(x)
    return keras.Model(chips, x, name="sface")


def load_sface(weights: Mapping[str, Array]) -> keras.Model:
    """The tower with the published weights.

    Args:
        weights: Tensors of the published file by their name in it, float32, in
            that file's own (channels-first) order.

    Returns:
        As `build_sface`.

    Raises:
        KeyError: If a tensor is absent.
        ValueError: If a tensor has the wrong shape.
    """
    tower = build_sface()
    for layer in tower.layers:
        values = _values(layer, weights)
        if values:
            layer.set_weights(values)
    return tower


def _conv(x: keras.KerasTensor, name: str, channels: int) -> keras.KerasTensor:
    x = keras.layers.Conv2D(channels, 3, padding="same", use_bias=False, name=f"{name}_conv2d")(x)
    return _norm_prelu(x, name)


def _pointwise(x: keras.KerasTensor, name: str, channels: int) -> keras.KerasTensor:
    x = keras.layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_conv2d")(x)
    return _norm_prelu(x, name)


def _depthwise(x: keras.KerasTensor, name: str, stride: int) -> keras.KerasTensor:
    # "same" padding with stride 2 would pad right and bottom only; the published
    # network pads one pixel on every side.
    x = keras.layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
    x = keras.layers.DepthwiseConv2D(3, strides=stride, use_bias=False, name=f"{name}_conv2d")(x)
    return _norm_prelu(x, name)


def _norm_prelu(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    x = keras.layers.BatchNormalization(epsilon=BLOCK_EPSILON, name=f"{name}_batchnorm")(x)
    return keras.layers.PReLU(shared_axes=[1, 2], name=f"{name}_relu")(x)


def _values(layer: keras.layers.Layer, weights: Mapping[str, Array]) -> list[Array]:
    """The layer's tensors in the order and axis layout that Keras wants."""
    name = layer.name
    match layer:
        case keras.layers.DepthwiseConv2D():
            return [weights[f"{name}_weight"].transpose(2, 3, 0, 1)]
        case keras.layers.Conv2D():
            return [weights[f"{name}_weight"].transpose(2, 3, 1, 0)]
        case keras.layers.BatchNormalization():
            return [
                weights[f"{name}_{part}"] for part in ("gamma", "beta", "moving_mean", "moving_var")
            ]
        case keras.layers.PReLU():
            return [weights[f"{name}_gamma"].transpose(1, 2, 0)]
        case keras.layers.Dense():
            # The published flattening runs channel, row, column; ours row,
            # column, channel.
            kernel = weights[f"{name}_weight"].reshape(EMBEDDING_SIZE, 1024, 7, 7)
            flat = kernel.transpose(2, 3, 1, 0).reshape(-1, EMBEDDING_SIZE)
            return [np.ascontiguousarray(flat), weights[f"{name}_bias"]]
        case _:
            return []
