"""YuNet: the detector, as it is served: 8-bit arithmetic, one head for each grid.

A stem convolution and units of a pointwise and a depthwise convolution; features at
1/8, 1/16 and 1/32 of the picture are added up from the coarsest down. The published
network has four heads on each of the three grids (class, object, box, landmarks); as
they see the same features, they are 16 channels of one head here.

Source:
    Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level Face Detector", Machine
    Intelligence Research 2023. Weights: OpenCV Zoo, MIT.
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from model.backbones.eight_bit import Bounds, conv2d, depthwise, round_input
from model.backbones.even_channels import Sizes, Step, evened_out
from model.types import Array

ARCHITECTURE = "yunet-1"

# Output channels of each stage's units; the picture is halved after some stages.
STAGES = ((16,), (16, 32), (32, 64), (64, 64), (64, 64), (64, 64))
_HALVED_AFTER = (0, 2, 3, 4)
_GRIDS = (3, 4, 5)
"""Stages whose features make the grids, 1/8, 1/16 and 1/32."""

_FEATURES = 64
_HEADS = ("class", "box", "object", "landmarks")
"""In the order of the published file."""

PLACE_SIZE = 4 + 10
"""Numbers of a cell's face: box (x, y, log width, log height), five landmarks (x, y)."""

CONVOLUTIONS = 1 + 2 * (sum(len(stage) for stage in STAGES) + len(_GRIDS) * (1 + len(_HEADS)))

Convolution = tuple[Array, Array]
"""Weights (out, in, height, width) and bias (out,)."""


def build_yunet(bounds: Bounds | None = None) -> keras.Model:
    """The detector with random weights.

    Args:
        bounds: Of the inputs of layers that are to be rounded; none leaves all float32.

    Returns:
        A Keras model, (N, H, W, 3) uint8 RGB, H and W multiples of 32, to
        `confidence` (N, C) and `places` (N, C, 14) of the cells of all three grids, the
        finest first, row by row; places in cells, from the cell's upper left corner.
    """
    bounds = bounds or {}
    images = keras.Input((None, None, 3), dtype="uint8", name="images")
    x = round_input(keras.ops.cast(images, "float32"), bounds, "stem")
    x = keras.layers.ZeroPadding2D(1, name="stem_pad")(x)
    x = conv2d(bounds, 16, 3, "stem", strides=2, activation="relu")(x)
    features = []
    for number, stage in enumerate(STAGES):
        for place, channels in enumerate(stage):
            halved = place == 0 and number - 1 in _HALVED_AFTER
            x = _unit(x, f"unit_{number}_{place}", channels, bounds, halved=halved)
        features.append(x)
    cells = []
    above = None
    for level in reversed(_GRIDS):
        x = features[level]
        if above is not None:
            x = keras.layers.Add(name=f"add_{level}")([x, Doubled(name=f"double_{level}")(above)])
        above = _unit(x, f"neck_{level}", _FEATURES, bounds)
        head = _unit(above, f"head_{level}", 2 + PLACE_SIZE, bounds, activation=None)
        cells.append(keras.layers.Reshape((-1, 2 + PLACE_SIZE), name=f"cells_{level}")(head))
    joined = keras.layers.Concatenate(axis=1, name="cells")(cells[::-1])
    # Class and object come first; their geometric mean is the confidence.
    sure = keras.ops.sigmoid(joined[..., :2])
    outputs = {
        "confidence": keras.ops.sqrt(sure[..., 0] * sure[..., 1]),
        "places": joined[..., 2:],
    }
    return keras.Model(images, outputs, name="yunet")


def load_yunet(
    published: Sequence[Convolution], sizes: Sizes | None = None, bounds: Bounds | None = None
) -> keras.Model:
    """The detector with the published weights.

    Args:
        published: All convolutions in the order of the published file.
        sizes: To even the channels out by; None leaves them as published.
        bounds: As for `build_yunet`; they hold for the channels evened out.

    Raises:
        ValueError: If their number or a shape is not the architecture's.
    """
    detector = build_yunet(bounds)
    for step in _evened(steps_of(published), sizes):
        detector.get_layer(step.name).set_weights([step.kernel, step.bias])
    return detector


def steps_of(published: Sequence[Convolution]) -> list[Step]:
    """The convolutions of the architecture, heads joined."""
    if len(published) != CONVOLUTIONS:
        raise ValueError(f"expected {CONVOLUTIONS} convolutions, found {len(published)}")
    left = iter(published)
    stem, bias = next(left)
    # The published network takes BGR.
    steps = [Step("stem", stem[:, ::-1].transpose(2, 3, 1, 0), bias)]
    names = [f"unit_{n}_{place}" for n, stage in enumerate(STAGES) for place in range(len(stage))]
    for name in (*names, *(f"neck_{level}" for level in reversed(_GRIDS))):
        steps += _pair(name, next(left), next(left))
    heads = {(head, level): (next(left), next(left)) for head in _HEADS for level in _GRIDS}
    for level in _GRIDS:
        pairs = [heads[head, level] for head in ("class", "object", "box", "landmarks")]
        points, depths = ([pair[place] for pair in pairs] for place in (0, 1))
        steps += _pair(f"head_{level}", _joined(points), _joined(depths))
    return steps


def is_last(step: Step) -> bool:
    """Whether a step's outputs are what the network answers."""
    return step.name.startswith("head_") and step.depthwise


def _unit(
    x: keras.KerasTensor,
    name: str,
    channels: int,
    bounds: Bounds,
    *,
    halved: bool = False,
    activation: str | None = "relu",
) -> keras.KerasTensor:
    """A pointwise and a depthwise convolution; before them the picture may be halved."""
    point, depth = f"{name}_point", f"{name}_depth"
    x = round_input(x, bounds, point)
    if halved:
        x = keras.layers.MaxPooling2D(2, name=f"{name}_halve")(x)
    x = round_input(conv2d(bounds, channels, 1, point)(x), bounds, depth)
    x = depthwise(bounds, 3, depth, padding="same")(x)
    return x if activation is None else keras.layers.Activation(activation, name=f"{name}_relu")(x)


def _pair(name: str, point: Convolution, depth: Convolution) -> list[Step]:
    return [
        Step(f"{name}_point", point[0].transpose(2, 3, 1, 0), point[1]),
        Step(f"{name}_depth", depth[0].transpose(2, 3, 0, 1), depth[1], depthwise=True),
    ]


def _joined(parts: Sequence[Convolution]) -> Convolution:
    return (
        np.concatenate([weights for weights, _ in parts]),
        np.concatenate([bias for _, bias in parts]),
    )


def _evened(steps: list[Step], sizes: Sizes | None) -> list[Step]:
    """The channels between the two convolutions of each unit evened out."""
    found = list(steps)
    for place, step in enumerate(steps):
        if sizes is not None and step.depthwise:
            found[place - 1 : place + 1] = evened_out(found[place - 1], step, sizes[step.name])
    return found


@keras.saving.register_keras_serializable("semblance")
class Doubled(keras.layers.Layer):  # type: ignore[misc]  # keras is untyped
    """Each pixel as a square of four. (N, H, W, C) -> (N, 2 H, 2 W, C)."""

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return tf.image.resize(x, 2 * tf.shape(x)[1:3], method="nearest")

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        batch, *sides, channels = shape
        return batch, *(None if n is None else 2 * n for n in sides), channels
