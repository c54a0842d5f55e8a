"""Whole ONNX networks that move numbers about, as TensorFlow computes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from model.types import AnyArray
from tests.unit.import_model_samples import SIDE, check, network, node, numbers, random, with_head
from training.importing.network import ImportedNetworkError
from training.importing.onnx_file import read_onnx

# TensorFlow's own notices while a graph is traced.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_squeeze_and_excite_shuffle_and_split(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x w0", "c", kernel_shape=[1, 1]),
        node("GlobalAveragePool", "c", "s0"),
        node("Conv", "s0 w1", "s1", kernel_shape=[1, 1]),
        node("HardSigmoid", "s1", "s2"),
        node("Mul", "c s2", "d"),
        node("Reshape", "d groups", "r"),
        node("Transpose", "r", "t", perm=[0, 2, 1, 3, 4]),
        node("Reshape", "t back", "u"),
        helper.make_node("Split", ["u"], ["one", "two"], axis=1),
        node("Pad", "two pads", "padded"),
        node("Slice", "padded from to along", "cut"),
        node("Concat", "one cut", "f", axis=1),
    ]
    whole, constants = with_head(nodes, 4)
    constants |= {"w0": numbers(4, 3, 1, 1), "w1": numbers(4, 4, 1, 1)}
    constants |= {"groups": np.array([-1, 2, 2, SIDE, SIDE]), "back": np.array([0, 4, SIDE, -1])}
    constants |= {"pads": np.array([0, 0, 1, 2, 0, 0, 0, 1])}
    constants |= {"from": np.array([0, 0]), "to": np.array([SIDE, SIDE]), "along": np.array([2, 3])}
    check(network(whole, constants, opset=13), tmp_path)


def test_attention(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x w0", "p", kernel_shape=[4, 4], strides=[4, 4]),
        node("Reshape", "p tokens", "t0"),
        node("Transpose", "t0", "t", perm=[0, 2, 1]),
        node("LayerNormalization", "t g b", "n", axis=-1),
        node("MatMul", "n q", "query"),
        node("Transpose", "n", "nt", perm=[0, 2, 1]),
        node("MatMul", "query nt", "scores"),
        node("Softmax", "scores", "share", axis=-1),
        node("MatMul", "share n", "mixed"),
        node("Add", "mixed t", "summed"),
        node("Gather", "summed first", "taken", axis=1),
        node("ReduceL2", "taken", "length", axes=[1], keepdims=1),
        node("Div", "taken length", "y"),
    ]
    constants = {"w0": numbers(8, 3, 4, 4), "tokens": np.array([0, 8, -1]), "q": numbers(8, 8)}
    constants |= {"g": numbers(8), "b": numbers(8), "first": np.array(0)}
    found = check(network(nodes, constants, source=("N", 3, 12, 12)), tmp_path)
    assert np.linalg.norm(found, axis=1) == pytest.approx(1, abs=1e-5)


def test_means_norms_and_axes(tmp_path: Path) -> None:
    nodes = [
        node("InstanceNormalization", "x one none", "i"),
        node("Exp", "i", "e"),
        node("ReduceMean", "e", "m0", axes=[2, 3], keepdims=1),
        node("Mul", "e m0", "d"),
        node("ReduceSum", "d last", "s", keepdims=0),
        node("Unsqueeze", "s place", "u"),
        node("Squeeze", "u place", "q"),
        node("ReduceMax", "q", "z", axes=[1], keepdims=0),
        node("LpNormalization", "z", "y", axis=1, p=2),
    ]
    constants = {"one": numbers(3, low=0.5), "none": numbers(3), "last": np.array([3])}
    constants["place"] = np.array([2])
    check(network(nodes, constants), tmp_path)


def test_a_batch_axis_that_the_graph_works_out_itself(tmp_path: Path) -> None:
    """As PyTorch writes x.view(x.size(0), -1)."""
    nodes = [
        node("Shape", "x", "shape"),
        node("Gather", "shape zero", "n0", axis=0),
        node("Unsqueeze", "n0 axis", "n"),
        helper.make_node("Constant", [], ["rest"], value=numpy_helper.from_array(np.array([-1]))),
        node("Concat", "n rest", "target", axis=0),
        node("Reshape", "x target", "h"),
        node("Gemm", "h m b", "y", transB=1, alpha=0.5, beta=2.0),
    ]
    constants = {"zero": np.array(0), "axis": np.array([0]), "b": numbers(8)}
    constants["m"] = numbers(8, 3 * SIDE * SIDE)
    check(network(nodes, constants), tmp_path)


def test_a_batch_of_one_is_opened(tmp_path: Path) -> None:
    nodes = [node("Reshape", "x flat", "h"), node("MatMul", "h m", "y")]
    constants = {"flat": np.array([1, 3 * SIDE * SIDE]), "m": numbers(3 * SIDE * SIDE, 8)}
    check(network(nodes, constants, source=(1, 3, SIDE, SIDE)), tmp_path)


def test_channels_last_and_an_open_size(tmp_path: Path) -> None:
    nodes = [
        node("Transpose", "x", "t", perm=[0, 3, 1, 2]),
        node("Conv", "t w", "f", kernel_shape=[3, 3]),
    ]
    whole, constants = with_head(nodes, 5)
    constants["w"] = numbers(5, 3, 3, 3)
    made = network(whole, constants, source=("N", "H", "W", 3))
    check(made, tmp_path, size=(12, 17))
    with pytest.raises(ImportedNetworkError, match=r"leaves the size .* open .*--size 112,112"):
        read_onnx(tmp_path / "network.onnx", None, None)


def test_half_precision(tmp_path: Path) -> None:
    nodes = [
        node("Conv", "x w", "f", kernel_shape=[3, 3]),
        node("GlobalAveragePool", "f", "g"),
        node("Flatten", "g", "y"),
    ]
    constants = {"w": numbers(8, 3, 3, 3).astype(np.float16)}
    check(network(nodes, constants, kind=TensorProto.FLOAT16), tmp_path)


def test_weights_in_blocks_of_eight_bits(tmp_path: Path) -> None:
    """As in OpenCV Zoo's small files, which OpenVINO does not read."""
    nodes = [
        node("DequantizeLinear", "q scale zero", "flat", axis=1, block_size=9),
        node("Reshape", "flat shape", "w"),
        node("Conv", "x w", "f", kernel_shape=[3, 3]),
        node("GlobalAveragePool", "f", "p"),
        node("Flatten", "p", "y"),
    ]
    constants: dict[str, AnyArray] = {
        "q": random.integers(-128, 128, (8, 27)).astype(np.int8),
        "scale": numbers(8, 3, low=0.01, high=0.1),
        "zero": random.integers(-9, 9, (8, 3)).astype(np.int8),
        "shape": np.array([8, 3, 3, 3]),
    }
    made = network(nodes, constants, opset=21)
    made.ir_version = 10
    check(made, tmp_path)


def test_unused_parts_need_not_be_known(tmp_path: Path) -> None:
    nodes = [node("Celu", "x", "odd"), node("Flatten", "x", "h"), node("MatMul", "h m", "y")]
    made = network(nodes, {"m": numbers(3 * SIDE * SIDE, 8)}, outputs=("y", "odd"))
    path = tmp_path / "network.onnx"
    onnx.save(made, path)
    assert read_onnx(path, None, "y").embedding_size == 8
    with pytest.raises(ImportedNetworkError, match="Celu, which cannot be converted"):
        read_onnx(path, None, "odd")
    with pytest.raises(ImportedNetworkError, match="found 2: y, odd"):
        read_onnx(path, None, None)
    with pytest.raises(ImportedNetworkError, match="one of the outputs y, odd, found 'z'"):
        read_onnx(path, None, "z")
