"""dlib's face network: a residual network of 29 convolutions, 128 axes.

A 7 x 7 stem, then fourteen residual blocks of two 3 x 3 convolutions. A block
that halves the picture takes the mean of each 2 x 2 square as its shortcut; the
shortcut and the convolutions then differ in channels, and twice by a pixel in
size, and the smaller one is filled up with zeros.

dlib keeps a scale and an offset after each convolution, the batch norm of the
training put into two numbers a channel; here they are part of the kernel and the
bias, which is the same arithmetic with one layer less.

Source:
    King, "High Quality Face Recognition with Deep Metric Learning" (2017), after
    He et al., "Deep Residual Learning for Image Recognition" (2016). Weights:
    dlib_face_recognition_resnet_model_v1, in the public domain (CC0).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import keras

from model.backbones.eight_bit import Bounds, conv2d, round_input
from model.types import Array

ARCHITECTURE = "dlib-resnet-1"
CHIP_SIZE = (150, 150)
EMBEDDING_SIZE = 128

# (channels, stride of the first convolution) of the residual blocks.
BLOCKS = (
    *[(32, 1)] * 3,
    *[(64, 2), (64, 1), (64, 1), (64, 1)],
    *[(128, 2), (128, 1), (128, 1)],
    *[(256, 2), (256, 1), (256, 1)],
    *[(256, 2)],
)
CONVOLUTIONS = 1 + 2 * len(BLOCKS)
# Of red, green and blue, as dlib subtracts them before it divides by 256.
MEAN = (122.782, 117.001, 104.298)
_SCALE = 1 / 256


@dataclass(frozen=True)
class Convolution:
    """A convolution with the scale and offset that follow it.

    Attributes:
        filters: Shape (out, in, height, width).
        bias, scale, offset: Shape (out,).
    """

    filters: Array
    bias: Array
    scale: Array
    offset: Array

    @property
    def kernel(self) -> Array:
        """Filters with the scale, as Keras wants them. Shape (height, width, in, out)."""
        return (self.filters * self.scale[:, None, None, None]).transpose(2, 3, 1, 0)

    @property
    def shift(self) -> Array:
        """Shape (out,)."""
        return self.bias * self.scale + self.offset


@dataclass(frozen=True)
class Weights:
    """What the published file holds.

    Attributes:
        convolutions: From the stem on, as a picture passes them.
        matrix: From the last block's means to the embedding. Shape (256, 128).
    """

    convolutions: Sequence[Convolution]
    matrix: Array


def build_dlib_resnet(bounds: Bounds | None = None) -> keras.Model:
    """The tower with random weights: uint8 chips in, raw embeddings out.

    Args:
        bounds: Of the inputs of convolutions that are to be rounded; None leaves all
            float32.

    Returns:
        A Keras model, (N, 150, 150, 3) uint8 RGB -> (N, 128) float32. The output
        is not unit length, though it is close to it for a clear face.
    """
    chips = keras.Input((*CHIP_SIZE, 3), dtype="uint8", name="chips")
    offset = [-mean * _SCALE for mean in MEAN]
    x = keras.layers.Rescaling(_SCALE, offset, name="scale")(chips)
    bounds = bounds or {}
    x = round_input(x, bounds, "conv_0")
    x = conv2d(bounds, 32, 7, "conv_0", strides=2, activation="relu")(x)
    x = keras.layers.MaxPooling2D(3, strides=2, name="pool")(x)
    for number, (channels, stride) in enumerate(BLOCKS):
        x = _block(x, 2 * number + 1, channels, stride, bounds)
    x = keras.layers.GlobalAveragePooling2D(name="means")(x)
    x = keras.layers.Dense(EMBEDDING_SIZE, use_bias=False, name="embedding")(x)
    return keras.Model(chips, x, name="dlib_resnet")


def load_dlib_resnet(weights: Weights, bounds: Bounds | None = None) -> keras.Model:
    """The tower with the published weights.

    Args:
        bounds: As for `build_dlib_resnet`.

    Raises:
        ValueError: If their number or a shape is not the architecture's.
    """
    if len(weights.convolutions) != CONVOLUTIONS:
        raise ValueError(f"expected {CONVOLUTIONS} convolutions, found {len(weights.convolutions)}")
    tower = build_dlib_resnet(bounds)
    for number, convolution in enumerate(weights.convolutions):
        tower.get_layer(f"conv_{number}").set_weights([convolution.kernel, convolution.shift])
    tower.get_layer("embedding").set_weights([weights.matrix])
    return tower


def _block(
    x: keras.KerasTensor, number: int, channels: int, stride: int, bounds: Bounds
) -> keras.KerasTensor:
    """Two convolutions, the first one numbered `number`, and the shortcut around them."""
    # dlib pads by one pixel only where the stride is 1.
    padding = "same" if stride == 1 else "valid"
    first, second = f"conv_{number}", f"conv_{number + 1}"
    y = round_input(x, bounds, first)
    y = conv2d(bounds, channels, 3, first, strides=stride, padding=padding, activation="relu")(y)
    y = conv2d(bounds, channels, 3, second, padding="same")(round_input(y, bounds, second))
    if stride == 2:
        x = keras.layers.AveragePooling2D(2, strides=2, name=f"halve_{number}")(x)
    x, y = _filled_up(x, y, f"{number}_x"), _filled_up(y, x, f"{number}_y")
    x = keras.layers.Add(name=f"add_{number}")([x, y])
    return keras.layers.ReLU(name=f"relu_{number}")(x)


def _filled_up(x: keras.KerasTensor, other: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """`x` with zeros to the right, below and in channels, as far as `other` reaches."""
    rows, columns, channels = (
        max(0, wanted - found) for wanted, found in zip(other.shape[1:], x.shape[1:], strict=True)
    )
    if rows or columns:
        x = keras.layers.ZeroPadding2D(((0, rows), (0, columns)), name=f"grow_{name}")(x)
    if channels:
        x = _MoreChannels(channels, name=f"widen_{name}")(x)
    return x


@keras.saving.register_keras_serializable("semblance")
class _MoreChannels(keras.layers.Layer):  # type: ignore[misc]  # keras is untyped
    """Adds channels of zeros."""

    def __init__(self, channels: int, **options: object) -> None:
        super().__init__(**options)
        self.channels = channels

    def call(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return keras.ops.pad(x, [[0, 0], [0, 0], [0, 0], [0, self.channels]])

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return *shape[:-1], (shape[-1] or 0) + self.channels

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "channels": self.channels}
