"""SFace and dlib's network side by side: one aligned chip in, one embedding out.

    chip     190 x 174, larger than either network's own
    window   SFace: 112 x 112, every 1.54th pixel; dlib: 150 x 150, as it is
    e        network(window) + network(mirrored window)
    sface    unit(unit(e) P + c)         P, c: learned on people, training.projection
    dlib     unit(e)
    output   (sface, 2 dlib) / sqrt(5)   so that the squared distances add up 1 : 4

Both networks see the same alignment. dlib's own places its landmarks elsewhere;
where its window lies in the chip was found by its accuracy
(docs/decisions/0009-fused-tower.md).

Source:
    The networks: model.backbones.sface, model.backbones.dlib_resnet. That a sum of
    two networks' scores beats both: score fusion, ISO/IEC TR 24722.
"""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

from model.backbones import dlib_resnet, sface
from model.templates import ARCFACE_112
from model.types import Array

ARCHITECTURE = "fused-1"
CHIP_SIZE = (190, 174)
EMBEDDING_SIZE = sface.EMBEDDING_SIZE + dlib_resnet.EMBEDDING_SIZE

SCALE = 1.54
"""Pixels of the chip for one of SFace's own."""

DLIB_WEIGHT = 4.0
"""Of the squared distance of dlib's half, where that of SFace's is 1."""

# The middle of the five landmarks, (x, y): in the chip, and in SFace's window.
_MIDDLE = np.array([86.5, 111.0], dtype=np.float32)
_SFACE_MIDDLE = ARCFACE_112.mean(axis=0)
# dlib's window: its upper left corner in the chip, (row, column).
_DLIB_CORNER = (39, 12)

TEMPLATE: Array = ((ARCFACE_112 - _SFACE_MIDDLE) * SCALE + _MIDDLE).astype(np.float32)
"""Where the five landmarks lie in the chip. Shape (5, 2)."""


@dataclass(frozen=True)
class Projection:
    """A linear map of SFace's half: x -> x matrix + offset.

    Attributes:
        matrix: Shape (128, 128).
        offset: Shape (128,).
    """

    matrix: Array
    offset: Array


def build_fused(
    sface_tower: keras.Model, dlib_tower: keras.Model, projection: Projection | None
) -> keras.Model:
    """The tower.

    Args:
        sface_tower, dlib_tower: With their weights.
        projection: None leaves SFace's half as it is.

    Returns:
        A Keras model, (N, 190, 174, 3) uint8 RGB -> (N, 256) float32, unit length.
    """
    chips = keras.Input((*CHIP_SIZE, 3), dtype="uint8", name="chips")
    small = SFaceWindow(name="sface_window")(chips)
    large = DlibWindow(name="dlib_window")(chips)
    ours = keras.layers.UnitNormalization(name="sface_unit")(_both_ways(sface_tower, small))
    theirs = keras.layers.UnitNormalization(name="dlib_unit")(_both_ways(dlib_tower, large))
    if projection is not None:
        dense = keras.layers.Dense(sface.EMBEDDING_SIZE, name="projection")
        ours = dense(ours)
        dense.set_weights([projection.matrix, projection.offset])
        ours = keras.layers.UnitNormalization(name="projected_unit")(ours)
    theirs = keras.layers.Rescaling(DLIB_WEIGHT**0.5, name="weigh")(theirs)
    joined = keras.layers.Concatenate(name="join")([ours, theirs])
    joined = keras.layers.UnitNormalization(name="unit")(joined)
    return keras.Model(chips, joined, name="fused")


def _both_ways(tower: keras.Model, window: keras.KerasTensor) -> keras.KerasTensor:
    """The sum of the embeddings of a face and of its mirror image, in one pass."""
    both = Mirrored(name=f"{tower.name}_mirrored")(window)
    return SumOfHalves(name=f"{tower.name}_sum")(tower(both))


@keras.saving.register_keras_serializable("semblance")
class SFaceWindow(keras.layers.Layer):  # type: ignore[misc]  # keras is untyped
    """SFace's 112 x 112 pixels of the chip, by linear interpolation."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)
        height, width = sface.CHIP_SIZE
        self._rows = _interpolation(height, CHIP_SIZE[0], _SFACE_MIDDLE[1], _MIDDLE[1])
        self._columns = _interpolation(width, CHIP_SIZE[1], _SFACE_MIDDLE[0], _MIDDLE[0])

    def call(self, chips: tf.Tensor) -> tf.Tensor:
        x = tf.cast(chips, tf.float32)
        rows = tf.einsum("or,nrwc->nowc", tf.constant(self._rows), x)
        pixels = tf.einsum("pw,nowc->nopc", tf.constant(self._columns), rows)
        return tf.cast(tf.round(pixels), tf.uint8)

    def compute_output_spec(self, chips: keras.KerasTensor) -> keras.KerasTensor:
        return keras.KerasTensor((chips.shape[0], *sface.CHIP_SIZE, 3), dtype="uint8")


@keras.saving.register_keras_serializable("semblance")
class DlibWindow(keras.layers.Layer):  # type: ignore[misc]
    """dlib's 150 x 150 pixels of the chip."""

    def call(self, chips: tf.Tensor) -> tf.Tensor:
        (top, left), (height, width) = _DLIB_CORNER, dlib_resnet.CHIP_SIZE
        return chips[:, top : top + height, left : left + width]

    def compute_output_spec(self, chips: keras.KerasTensor) -> keras.KerasTensor:
        return keras.KerasTensor((chips.shape[0], *dlib_resnet.CHIP_SIZE, 3), dtype="uint8")


@keras.saving.register_keras_serializable("semblance")
class Mirrored(keras.layers.Layer):  # type: ignore[misc]
    """(N, H, W, 3) -> (2 N, H, W, 3): the chips, then their mirror images."""

    def call(self, chips: tf.Tensor) -> tf.Tensor:
        # OpenVINO has a slow kernel for reversing an axis, and a quick one for picking from it.
        columns = tf.range(chips.shape[2] - 1, -1, -1)
        return tf.concat([chips, tf.gather(chips, columns, axis=2)], axis=0)

    def compute_output_spec(self, chips: keras.KerasTensor) -> keras.KerasTensor:
        return keras.KerasTensor((None, *chips.shape[1:]), dtype="uint8")


@keras.saving.register_keras_serializable("semblance")
class SumOfHalves(keras.layers.Layer):  # type: ignore[misc]
    """(2 N, D) -> (N, D): row n plus row N + n."""

    def call(self, embeddings: tf.Tensor) -> tf.Tensor:
        one, other = tf.split(embeddings, 2, axis=0)
        return one + other

    def compute_output_spec(self, embeddings: keras.KerasTensor) -> keras.KerasTensor:
        return keras.KerasTensor((None, embeddings.shape[1]), dtype=embeddings.dtype)


def _interpolation(count: int, available: int, middle: float, in_chip: float) -> Array:
    """Weights of the chip's pixels in each of a window's, along one axis.

    Returns:
        Shape (count, available), float32; rows sum to one.
    """
    place = (np.arange(count) - float(middle)) * SCALE + float(in_chip)
    weights = np.maximum(0, 1 - np.abs(np.arange(available) - place[:, None]))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float32)
