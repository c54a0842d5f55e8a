"""Operations of ONNX that take each number by itself, in TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

from training.importing.onnx_values import Tensor, Unsupported, Value, aligned, constant, plain

Attributes = dict[str, Any]
_FLOATS = {1, 10, 11, 16}
"""ONNX's float, float16, double and bfloat16."""


def _unary(function: Callable[[Any, Attributes], Any]) -> Callable[..., Tensor]:
    def apply(values: list[Value], options: Attributes) -> Tensor:
        x = values[0]
        if isinstance(x, Tensor):
            return Tensor(function(x.data, options), x.last)
        return Tensor(function(plain(x), options))

    return apply


def _binary(function: Callable[[Any, Any], Any]) -> Callable[..., Tensor]:
    def apply(values: list[Value], options: Attributes) -> Tensor:
        (a, b), last = aligned(values)
        return Tensor(function(a, b), last)

    return apply


def _clip(values: list[Value], options: Attributes) -> Tensor:
    low, high = options.get("min"), options.get("max")
    if len(values) > 1 and values[1] is not None:
        low = float(constant(values[1], "limits of a Clip"))
    if len(values) > 2 and values[2] is not None:
        high = float(constant(values[2], "limits of a Clip"))

    def within(x: Any, _: Attributes) -> Any:
        x = x if low is None else tf.maximum(x, np.float32(low))
        return x if high is None else tf.minimum(x, np.float32(high))

    return _unary(within)(values, options)


def _cast(values: list[Value], options: Attributes) -> Tensor:
    if options["to"] not in _FLOATS:
        raise Unsupported("expected casts to floating point, found one to whole numbers")
    return _unary(lambda x, _: x)(values, options)


def _hard_sigmoid(x: Any, options: Attributes) -> Any:
    slope, offset = options.get("alpha", 0.2), options.get("beta", 0.5)
    return tf.clip_by_value(slope * x + offset, 0.0, 1.0)


def _leaky(x: Any, options: Attributes) -> Any:
    return tf.nn.leaky_relu(x, options.get("alpha", 0.01))


def _elu(x: Any, options: Attributes) -> Any:
    return tf.maximum(x, 0) + options.get("alpha", 1.0) * (tf.exp(tf.minimum(x, 0)) - 1)


def _gelu(x: Any, options: Attributes) -> Any:
    return tf.nn.gelu(x, approximate=options.get("approximate", b"none") in (b"tanh", "tanh"))


POINTWISE: dict[str, Callable[..., Tensor]] = {
    "Abs": _unary(lambda x, _: tf.abs(x)),
    "Add": _binary(lambda a, b: a + b),
    "Cast": _cast,
    "Clip": _clip,
    "Div": _binary(lambda a, b: a / b),
    "Dropout": _unary(lambda x, _: x),
    "Elu": _unary(_elu),
    "Erf": _unary(lambda x, _: tf.math.erf(x)),
    "Exp": _unary(lambda x, _: tf.exp(x)),
    "Gelu": _unary(_gelu),
    "HardSigmoid": _unary(_hard_sigmoid),
    "HardSwish": _unary(lambda x, _: x * tf.clip_by_value(x / 6 + 0.5, 0.0, 1.0)),
    "Identity": _unary(lambda x, _: x),
    "LeakyRelu": _unary(_leaky),
    "Log": _unary(lambda x, _: tf.math.log(x)),
    "Max": _binary(tf.maximum),
    "Min": _binary(tf.minimum),
    "Mul": _binary(lambda a, b: a * b),
    "Neg": _unary(lambda x, _: -x),
    "Pow": _binary(tf.pow),
    "Reciprocal": _unary(lambda x, _: 1 / x),
    "Relu": _unary(lambda x, _: tf.nn.relu(x)),
    "Sigmoid": _unary(lambda x, _: tf.sigmoid(x)),
    "Softplus": _unary(lambda x, _: tf.math.softplus(x)),
    "Sqrt": _unary(lambda x, _: tf.sqrt(x)),
    "Sub": _binary(lambda a, b: a - b),
    "Tanh": _unary(lambda x, _: tf.tanh(x)),
}
