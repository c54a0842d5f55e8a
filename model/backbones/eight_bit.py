"""Layers that can be computed in 8-bit integers.

A layer's input is rounded to 256 steps between two bounds, measured on pictures
(training.bounds); its kernel to 127 steps either side of zero, for each output channel
by itself. TensorFlow computes with the rounded numbers in float32. OpenVINO takes the
same two nodes before a convolution for leave to compute it in integers, where the CPU
has the instructions for it (model.runtimes.openvino_runtime).

Source:
    Jacob et al., "Quantization and Training of Neural Networks for Efficient
    Integer-Arithmetic-Only Inference", CVPR 2018.
"""

from __future__ import annotations

from collections.abc import Mapping

import keras
import tensorflow as tf

Bounds = Mapping[str, tuple[float, float]]
"""Least and greatest input by the name of the layer; the layers not named stay float32."""

_SMALLEST = 1e-12


def round_input(x: keras.KerasTensor, bounds: Bounds, name: str) -> keras.KerasTensor:
    """What the layer of this name takes: rounded, if there are bounds for it.

    Pooling and padding belong after it, where they are done in integers, too.
    """
    return Rounding(*bounds[name], name=f"{name}_rounding")(x) if name in bounds else x


def conv2d(bounds: Bounds, channels: int, size: int, name: str, **options: object) -> keras.Layer:
    """A convolution; its kernel is rounded if there are bounds for its name."""
    kind = RoundedConv2D if name in bounds else keras.layers.Conv2D
    return kind(channels, size, name=name, **options)


def depthwise(bounds: Bounds, size: int, name: str, **options: object) -> keras.Layer:
    """A depthwise convolution; its kernel is rounded if there are bounds for its name."""
    kind = RoundedDepthwiseConv2D if name in bounds else keras.layers.DepthwiseConv2D
    return kind(size, name=name, **options)


def dense(bounds: Bounds, channels: int, name: str, **options: object) -> keras.Layer:
    """A dense layer; its kernel is rounded if there are bounds for its name."""
    kind = RoundedDense if name in bounds else keras.layers.Dense
    return kind(channels, name=name, **options)


@keras.saving.register_keras_serializable("semblance")
class Rounding(keras.layers.Layer):  # type: ignore[misc]  # keras is untyped
    """Rounds to 256 steps, 0 being one of them, and cuts off what lies outside.

    Args:
        low, high: The first and the last step, either side of 0 or one of them 0.
    """

    def __init__(self, low: float, high: float, **options: object) -> None:
        super().__init__(**options)
        if not low <= 0 <= high or low == high:
            raise ValueError(f"expected bounds either side of 0, found {low:g} and {high:g}")
        self.bounds = (float(low), float(high))

    def call(self, x: tf.Tensor) -> tf.Tensor:
        return tf.quantization.fake_quant_with_min_max_args(x, *self.bounds)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return shape

    def get_config(self) -> dict[str, object]:
        return {**super().get_config(), "low": self.bounds[0], "high": self.bounds[1]}


@keras.saving.register_keras_serializable("semblance")
class RoundedConv2D(keras.layers.Conv2D):  # type: ignore[misc]
    """A convolution with a rounded kernel."""

    def convolution_op(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        return super().convolution_op(inputs, _rounded(kernel))


@keras.saving.register_keras_serializable("semblance")
class RoundedDepthwiseConv2D(keras.layers.DepthwiseConv2D):  # type: ignore[misc]
    """A depthwise convolution with a rounded kernel, one output for each input channel."""

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        kernel = tf.convert_to_tensor(self.kernel)
        rounded = tf.reshape(_rounded(kernel[..., 0]), kernel.shape)
        x = keras.ops.depthwise_conv(inputs, rounded, strides=self.strides, padding=self.padding)
        return keras.ops.add(x, self.bias) if self.use_bias else x


@keras.saving.register_keras_serializable("semblance")
class RoundedDense(keras.layers.Dense):  # type: ignore[misc]
    """A dense layer with a rounded kernel."""

    def call(self, inputs: tf.Tensor, training: bool | None = None) -> tf.Tensor:
        x = keras.ops.matmul(inputs, _rounded(self.kernel))
        return keras.ops.add(x, self.bias) if self.use_bias else x


def _rounded(kernel: tf.Tensor) -> tf.Tensor:
    """Each output channel, the last axis, in steps of its largest weight / 127."""
    kernel = tf.convert_to_tensor(kernel)
    others = list(range(len(kernel.shape) - 1))
    largest = tf.maximum(tf.reduce_max(tf.abs(kernel), axis=others), _SMALLEST)
    return tf.quantization.fake_quant_with_min_max_vars_per_channel(
        kernel, -largest, largest, narrow_range=True
    )
