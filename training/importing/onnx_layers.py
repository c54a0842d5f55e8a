"""Convolutions, pools, norms and products of ONNX in TensorFlow.

Source:
    https://onnx.ai/onnx/operators/, opsets 7 to 26.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf

from model.types import AnyArray
from training.importing.onnx_values import (
    Tensor,
    Unsupported,
    Value,
    beside,
    channels_last,
    constant,
    plain,
)

Attributes = dict[str, Any]
Pads = list[tuple[int, int]]


def conv(values: list[Value], options: Attributes) -> Tensor:
    x = channels_last(values[0])
    kernel = constant(values[1], "weights of a convolution").astype(np.float32)
    if kernel.ndim != 4:
        raise Unsupported("expected convolutions in two dimensions, found others")
    groups = options.get("group", 1)
    strides, dilations = _pair(options, "strides"), _pair(options, "dilations")
    pads = _pads(x, kernel.shape[2:], strides, dilations, options)
    x = tf.pad(x, [(0, 0), *pads, (0, 0)]) if any(map(any, pads)) else x
    channels = int(x.shape[-1])
    if groups == channels and groups > 1:
        y = _depthwise(x, kernel, strides, dilations)
    else:
        whole = kernel.transpose(2, 3, 1, 0)
        parts = [
            tf.nn.conv2d(part, filters, strides, "VALID", dilations=dilations)
            for part, filters in zip(
                tf.split(x, groups, axis=-1), np.split(whole, groups, axis=-1), strict=True
            )
        ]
        y = parts[0] if groups == 1 else tf.concat(parts, axis=-1)
    if len(values) > 2:
        y = y + constant(values[2], "biases of a convolution").astype(np.float32)
    return Tensor(y, last=True)


def _depthwise(x: tf.Tensor, kernel: AnyArray, strides: list[int], dilations: list[int]) -> Any:
    channels = int(x.shape[-1])
    if strides[0] != strides[1]:
        raise Unsupported("expected depthwise convolutions of one stride, found two different ones")
    _, _, height, width = kernel.shape
    filters = kernel.reshape(channels, -1, height, width).transpose(2, 3, 0, 1)
    return tf.nn.depthwise_conv2d(x, filters, [1, *strides, 1], "VALID", dilations=dilations)


def batch_normalization(values: list[Value], options: Attributes) -> Tensor:
    gamma, beta, mean, variance = (
        constant(value, "numbers of a batch norm").astype(np.float64) for value in values[1:5]
    )
    scale = gamma / np.sqrt(variance + options.get("epsilon", 1e-5))
    return _scaled(_tensor(values[0]), scale, beta - mean * scale)


def _scaled(x: Tensor, scale: AnyArray, shift: AnyArray) -> Tensor:
    """A factor and a term for each channel, the graph's second axis."""
    shape = (-1,) + (1,) * (x.rank - 2)
    factor, term = (beside(part.reshape(shape), x).astype(np.float32) for part in (scale, shift))
    return Tensor(x.data * factor + term, x.last)


def prelu(values: list[Value], options: Attributes) -> Tensor:
    x, slope = _tensor(values[0]), constant(values[1], "slopes of a PReLU").astype(np.float32)
    if slope.ndim == 1 and x.rank == 4 and slope.size == x.shape[1]:
        slope = slope.reshape(-1, 1, 1)  # as older exporters wrote it
    # As Keras writes it: the form that OpenVINO knows for one operation.
    return Tensor(tf.nn.relu(x.data) - beside(slope, x) * tf.nn.relu(-x.data), x.last)


def gemm(values: list[Value], options: Attributes) -> Tensor:
    if options.get("transA", 0):
        raise Unsupported("expected a Gemm of rows, found a transposed one")
    product = tf.matmul(plain(values[0]), plain(values[1]), transpose_b=bool(options.get("transB")))
    product = options.get("alpha", 1.0) * product if options.get("alpha", 1.0) != 1 else product
    if len(values) > 2:
        product = product + options.get("beta", 1.0) * plain(values[2])
    return Tensor(product)


def matmul(values: list[Value], options: Attributes) -> Tensor:
    return Tensor(tf.matmul(plain(values[0]), plain(values[1])))


def max_pool(values: list[Value], options: Attributes) -> Tensor:
    x, size, strides, pads = _pool(values[0], options)
    if any(map(any, pads)):
        x = tf.pad(x, [(0, 0), *pads, (0, 0)], constant_values=tf.float32.min)
    return Tensor(tf.nn.max_pool2d(x, size, strides, "VALID"), last=True)


def average_pool(values: list[Value], options: Attributes) -> Tensor:
    x, size, strides, pads = _pool(values[0], options)
    inside = np.ones((1, *x.shape[1:3], 1), dtype=np.float32)
    counted = _pads(x, size, strides, [1, 1], {**options, "ceil_mode": 0})
    if options.get("count_include_pad", 0):
        inside = np.pad(inside, [(0, 0), *counted, (0, 0)], constant_values=1)
        beyond = [(0, p[1] - c[1]) for p, c in zip(pads, counted, strict=True)]
        inside = np.pad(inside, [(0, 0), *beyond, (0, 0)])
    else:
        inside = np.pad(inside, [(0, 0), *pads, (0, 0)])
    x = tf.pad(x, [(0, 0), *pads, (0, 0)]) if any(map(any, pads)) else x
    y = tf.nn.avg_pool2d(x, size, strides, "VALID")
    if (inside == 1).all():
        return Tensor(y, last=True)
    share = _window_means(inside[0, :, :, 0], size, strides)
    return Tensor(y * (1 / share)[None, :, :, None].astype(np.float32), last=True)


def _window_means(plane: AnyArray, size: list[int], strides: list[int]) -> AnyArray:
    """Mean of each window of a plane. Shape (rows, columns)."""
    windows = np.lib.stride_tricks.sliding_window_view(plane, tuple(size))
    return np.asarray(windows[:: strides[0], :: strides[1]].mean(axis=(2, 3)))


def global_average_pool(values: list[Value], options: Attributes) -> Tensor:
    return Tensor(tf.reduce_mean(channels_last(values[0]), axis=(1, 2), keepdims=True), last=True)


def global_max_pool(values: list[Value], options: Attributes) -> Tensor:
    return Tensor(tf.reduce_max(channels_last(values[0]), axis=(1, 2), keepdims=True), last=True)


def instance_normalization(values: list[Value], options: Attributes) -> Tensor:
    x = channels_last(values[0])
    scale, shift = (constant(v, "numbers of a norm").astype(np.float32) for v in values[1:3])
    mean, variance = tf.nn.moments(x, axes=(1, 2), keepdims=True)
    normal = (x - mean) * tf.math.rsqrt(variance + options.get("epsilon", 1e-5))
    return Tensor(normal * scale + shift, last=True)


def layer_normalization(values: list[Value], options: Attributes) -> Tensor:
    x = plain(values[0])
    start = options.get("axis", -1) % len(x.shape)
    mean, variance = tf.nn.moments(x, axes=range(start, len(x.shape)), keepdims=True)
    normal = (x - mean) * tf.math.rsqrt(variance + options.get("epsilon", 1e-5))
    normal = normal * plain(values[1])
    return Tensor(normal + plain(values[2]) if len(values) > 2 else normal)


def _pool(value: Value, options: Attributes) -> tuple[tf.Tensor, list[int], list[int], Pads]:
    x = channels_last(value)
    if set(options.get("dilations", [1])) != {1}:
        raise Unsupported("expected pools without dilation, found one with it")
    size = list(options["kernel_shape"])
    if len(size) != 2:
        raise Unsupported("expected pools in two dimensions, found others")
    strides = _pair(options, "strides")
    return x, size, strides, _pads(x, size, strides, [1, 1], options)


def _pads(
    x: tf.Tensor, size: Any, strides: list[int], dilations: list[int], options: Attributes
) -> Pads:
    """(before, after) of rows and of columns, in pixels."""
    automatic = options.get("auto_pad", b"NOTSET")
    automatic = automatic.decode() if isinstance(automatic, bytes) else automatic
    stated = list(options.get("pads", [0, 0, 0, 0]))
    pads: Pads = []
    for axis in (0, 1):
        length = int(x.shape[1 + axis])
        reach = (int(size[axis]) - 1) * dilations[axis] + 1
        before, after = stated[axis], stated[axis + 2]
        if automatic in ("SAME_UPPER", "SAME_LOWER"):
            steps = -(-length // strides[axis])
            total = max(0, (steps - 1) * strides[axis] + reach - length)
            less, more = total // 2, total - total // 2
            before, after = (less, more) if automatic == "SAME_UPPER" else (more, less)
        elif automatic == "VALID":
            before, after = 0, 0
        if options.get("ceil_mode", 0):
            room = length + before + after - reach
            steps = math.ceil(room / strides[axis])
            if steps * strides[axis] >= length + before:
                steps -= 1  # a window may not begin beyond the picture
            after += max(0, steps * strides[axis] - room)
        pads.append((before, after))
    return pads


def _pair(options: Attributes, name: str) -> list[int]:
    return list(options.get(name, [1, 1]))


def _tensor(value: Value) -> Tensor:
    return value if isinstance(value, Tensor) else Tensor(tf.constant(value))


LAYERS = {
    "AveragePool": average_pool,
    "BatchNormalization": batch_normalization,
    "Conv": conv,
    "Gemm": gemm,
    "GlobalAveragePool": global_average_pool,
    "GlobalMaxPool": global_max_pool,
    "InstanceNormalization": instance_normalization,
    "LayerNormalization": layer_normalization,
    "MatMul": matmul,
    "MaxPool": max_pool,
    "PRelu": prelu,
}
