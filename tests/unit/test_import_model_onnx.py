"""Layers and functions of ONNX as TensorFlow computes them, against ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from tests.unit.import_model_samples import SIDE, check, network, node, numbers, with_head

# TensorFlow's own notices while a graph is traced.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.mark.parametrize(
    "options",
    [
        {"pads": [1, 1, 1, 1]},
        {"pads": [0, 1, 2, 0], "strides": [2, 2]},
        {"strides": [2, 1], "auto_pad": "SAME_UPPER"},
        {"strides": [2, 2], "auto_pad": "SAME_LOWER"},
        {"auto_pad": "VALID", "dilations": [2, 2]},
        {"group": 2, "pads": [1, 1, 1, 1]},
        {"group": 4, "pads": [1, 1, 1, 1], "strides": [2, 2]},
        {"group": 4, "filters": 8, "pads": [0, 0, 1, 1]},
        {"group": 4, "dilations": [2, 2], "pads": [2, 2, 2, 2]},
    ],
    ids=str,
)
def test_convolutions(options: dict[str, Any], tmp_path: Path) -> None:
    filters = options.pop("filters", 4) if options.get("group", 1) > 1 else 6
    groups = options.get("group", 1)
    nodes = [
        node("Conv", "x w0 b0", "c", kernel_shape=[1, 1]),
        node("Conv", "c w", "f", kernel_shape=[3, 3], **options),
    ]
    whole, constants = with_head(nodes, filters)
    constants |= {"w0": numbers(4, 3, 1, 1), "b0": numbers(4)}
    constants["w"] = numbers(filters, 4 // groups, 3, 3)
    check(network(whole, constants), tmp_path)


@pytest.mark.parametrize("kind", ["AveragePool", "MaxPool"])
@pytest.mark.parametrize(
    "options",
    [
        {"strides": [2, 2]},
        {"strides": [2, 2], "pads": [1, 1, 1, 1]},
        {"strides": [2, 2], "ceil_mode": 1},
        {"strides": [3, 2], "pads": [0, 1, 1, 0], "ceil_mode": 1},
        {"strides": [2, 2], "auto_pad": "SAME_LOWER"},
        {"strides": [1, 1], "pads": [1, 1, 1, 1], "count_include_pad": 1},
    ],
    ids=str,
)
def test_pools(kind: str, options: dict[str, Any], tmp_path: Path) -> None:
    if kind == "MaxPool":
        options = {k: v for k, v in options.items() if k != "count_include_pad"}
    side = 14 if "ceil_mode" in options else SIDE
    # The flattened plane is weighed, so that a window in a wrong place shows.
    nodes = [
        node(kind, "x", "f", kernel_shape=[3, 3], **options),
        node("Flatten", "f", "h"),
        node("MatMul", "h m", "y"),
    ]
    plane = _pooled(kind, options, side)
    constants = {"m": numbers(3 * plane, 8)}
    check(network(nodes, constants, source=("N", 3, side, side)), tmp_path)


def _pooled(kind: str, options: dict[str, Any], side: int) -> int:
    """Numbers in a pooled plane, as ONNX itself infers them."""
    nodes = [node(kind, "x", "y", kernel_shape=[3, 3], **options)]
    made = network(nodes, {}, source=(1, 3, side, side), rank=4)
    inferred = onnx.shape_inference.infer_shapes(made)
    axes = inferred.graph.output[0].type.tensor_type.shape.dim
    return int(axes[2].dim_value * axes[3].dim_value)


UNARY: list[tuple[str, dict[str, Any]]] = [
    ("Abs", {}),
    ("Clip", {}),
    ("Elu", {"alpha": 0.7}),
    ("Erf", {}),
    ("Exp", {}),
    ("HardSigmoid", {"alpha": 0.3, "beta": 0.4}),
    ("HardSwish", {}),
    ("Identity", {}),
    ("LeakyRelu", {"alpha": 0.2}),
    ("Neg", {}),
    ("Relu", {}),
    ("Sigmoid", {}),
    ("Softplus", {}),
    ("Tanh", {}),
    ("Cast", {"to": TensorProto.FLOAT}),
]


@pytest.mark.parametrize(("kind", "options"), UNARY, ids=str)
def test_functions_of_one_number(kind: str, options: dict[str, Any], tmp_path: Path) -> None:
    inputs = "c low high" if kind == "Clip" else "c"
    nodes = [
        node("Conv", "x w0", "c", kernel_shape=[1, 1]),
        node(kind, inputs, "f", **options),
    ]
    whole, constants = with_head(nodes, 4)
    constants |= {"w0": numbers(4, 3, 1, 1)}
    if kind == "Clip":
        constants |= {"low": np.array(-0.5, "f4"), "high": np.array(0.25, "f4")}
    check(network(whole, constants), tmp_path)


def test_gelu(tmp_path: Path) -> None:
    for approximate in ("none", "tanh"):
        whole, constants = with_head([node("Gelu", "x", "f", approximate=approximate)], 3)
        made = network(whole, constants, opset=20)
        made.ir_version = 9
        check(made, tmp_path)


@pytest.mark.parametrize(
    "shape", [(), (1,), (4, 1, 1), (1, 4, 1, 1), (SIDE,), (SIDE, 1), (4, SIDE, SIDE)], ids=str
)
def test_constants_broadcast_as_onnx_says(shape: tuple[int, ...], tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x w0", "c", kernel_shape=[1, 1]),
        node("Mul", "c a", "d"),
        node("Sub", "a d", "s"),
        node("Div", "s b", "t"),
        node("Abs", "t", "u"),
        node("Pow", "u p", "v"),
        node("Max", "v c", "f"),
        node("Flatten", "f", "h"),
        node("MatMul", "h m", "y"),
    ]
    constants = {"w0": numbers(4, 3, 1, 1), "a": numbers(*shape), "m": numbers(4 * SIDE**2, 8)}
    constants |= {"b": numbers(*shape, low=0.5, high=2), "p": np.array(1.5, "f4")}
    check(network(nodes, constants), tmp_path)


@pytest.mark.parametrize("axes", [1, 3])
def test_prelu_and_batch_norm(axes: int, tmp_path: Path) -> None:
    slope = (4,) if axes == 1 else (4, 1, 1)
    nodes = [
        node("Conv", "x w0", "c", kernel_shape=[1, 1]),
        node("BatchNormalization", "c g b u v", "n", epsilon=1e-3),
        node("PRelu", "n s", "f"),
    ]
    if axes == 1:  # on a row of numbers
        nodes += [
            node("GlobalAveragePool", "f", "p"),
            node("Flatten", "p", "q"),
            node("BatchNormalization", "q g b u v", "r"),
            node("PRelu", "r s", "y"),
        ]
        nodes[2] = node("Relu", "n", "f")
        whole, constants = nodes, dict[str, Any]()
    else:
        whole, constants = with_head(nodes, 4)
    constants |= {"w0": numbers(4, 3, 1, 1), "s": numbers(*slope)}
    constants |= {"g": numbers(4), "b": numbers(4), "u": numbers(4)}
    constants["v"] = numbers(4, low=0.5, high=2)
    check(network(whole, constants), tmp_path)
