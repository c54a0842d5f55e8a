"""Small embedding networks of each kind, with preprocessing that no default would guess."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from model.types import Array, Image

SIZE = (64, 64)
MEAN, SCALE = (127.5, 120.0, 110.0), (0.0078125, 0.01, 0.02)
random = np.random.default_rng(11)


def preprocessed(chips: Image, channels: str) -> Array:
    """(value - mean) * scale as the options of `stated` ask for."""
    ordered = chips[..., ::-1] if channels == "bgr" else chips
    return ((ordered.astype(np.float64) - MEAN) * SCALE).astype(np.float32)


def stated(channels: str) -> list[str]:
    mean, scale = (",".join(map(str, part)) for part in (MEAN, SCALE))
    return ["--mean", mean, "--scale", scale, "--channels", channels]


def small_keras() -> keras.Model:
    keras.utils.set_random_seed(4)
    pictures = keras.Input((*SIZE, 3), name="pictures")
    x = keras.layers.Conv2D(8, 5, strides=3, activation="relu", use_bias=False)(pictures)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Conv2D(8, 3, strides=2, padding="same")(x)
    x = keras.layers.Flatten()(x)
    return keras.Model(pictures, keras.layers.Dense(24, name="embedding")(x))


def small_onnx(path: Path) -> Path:
    """A fixed batch of one, channels first."""
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], strides=[4, 4]),
        helper.make_node("PRelu", ["c", "s"], ["p"]),
        helper.make_node("Flatten", ["p"], ["h"]),
        helper.make_node("Gemm", ["h", "m"], ["y"]),
    ]
    numbers = {"w": (6, 3, 5, 5), "s": (6, 1, 1), "m": (6 * 15 * 15, 32)}
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 3, *SIZE))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 32))],
        [
            numpy_helper.from_array(random.normal(0, 0.1, shape).astype(np.float32), name)
            for name, shape in numbers.items()
        ],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    made.ir_version = 8
    onnx.save(made, path)
    return path
