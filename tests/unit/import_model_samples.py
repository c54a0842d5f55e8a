"""Small ONNX networks, and the comparison of a converted one with ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from model.types import AnyArray, Array
from training.importing.onnx_file import read_onnx

SIDE = 13
random = np.random.default_rng(5)


def numbers(*shape: int, low: float = -1.0, high: float = 1.0) -> Array:
    return random.uniform(low, high, shape).astype(np.float32)


def node(kind: str, inputs: str, output: str, **options: Any) -> NodeProto:
    return helper.make_node(kind, inputs.split(), [output], **options)


def network(
    nodes: Sequence[NodeProto],
    constants: dict[str, AnyArray],
    *,
    opset: int = 17,
    source: Sequence[int | str] = ("N", 3, SIDE, SIDE),
    outputs: Sequence[str] = ("y",),
    kind: int = TensorProto.FLOAT,
    rank: int = 2,
) -> ModelProto:
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", kind, source)],
        [helper.make_tensor_value_info(name, kind, list("NCHW"[:rank])) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    made.ir_version = 8
    return made


HEAD = [
    node("GlobalAveragePool", "f", "head_plane"),
    node("Flatten", "head_plane", "head_row"),
    node("MatMul", "head_row m", "head_product"),
    node("Add", "head_product f0", "y"),
]


def with_head(nodes: Sequence[NodeProto], channels: int) -> tuple[list[NodeProto], dict[str, Any]]:
    """The nodes, which make `f` of four axes, and a head that makes an embedding of it."""
    constants = {"m": numbers(channels, 8), "f0": numbers(8)}
    return [*nodes, *HEAD], constants


def check(made: ModelProto, folder: Path, size: tuple[int, int] | None = None) -> Array:
    """Converts, compares with ONNX Runtime picture by picture; the embeddings."""
    path = folder / "network.onnx"
    onnx.save(made, path)
    read = read_onnx(path, size, None)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (first,) = session.get_inputs()
    pictures = numbers(3, *read.size, 3, low=-2, high=2)
    ordered = pictures.transpose(0, 3, 1, 2) if first.shape[1] == 3 else pictures
    ordered = ordered.astype(np.float16 if "float16" in first.type else np.float32)
    rows = [session.run(None, {"x": row[None]})[0].reshape(1, -1) for row in ordered]
    wanted = np.concatenate(rows).astype(np.float32)
    found = np.asarray(read.run(pictures).numpy())
    tolerance = 1e-2 if "float16" in first.type else 1e-4
    assert found.shape == wanted.shape == (3, read.embedding_size)
    assert np.abs(found - wanted).max() <= tolerance * np.abs(wanted).max()
    assert np.abs(wanted[0] - wanted[1]).max() > 1e-3 * np.abs(wanted).max()
    reference = read.reference(pictures)
    assert np.abs(reference - wanted).max() <= tolerance * np.abs(wanted).max()
    return found


def onnx_file(
    path: Path,
    nodes: list[NodeProto] | None = None,
    *,
    source: tuple[int | str, ...] = ("N", 3, 40, 40),
    columns: int = 8,
    opset: int = 13,
    constants: dict[str, Any] | None = None,
    kind: int = TensorProto.FLOAT,
    inputs: int = 1,
) -> Path:
    """Writes a network of 40 x 40 pictures, by default one that averages colours."""
    nodes = nodes or [
        helper.make_node("GlobalAveragePool", ["x"], ["p"]),
        helper.make_node("Flatten", ["p"], ["h"]),
        helper.make_node("MatMul", ["h", "m"], ["y"]),
    ]
    numbers = np.random.default_rng(2).normal(size=(3, columns)).astype(np.float32)
    domains = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    made = helper.make_model(
        helper.make_graph(
            nodes,
            "test",
            [
                helper.make_tensor_value_info(name, kind, source)
                for name in ("x", "second")[:inputs]
            ],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["A", "B"])],
            [
                numpy_helper.from_array(np.asarray(value), name)
                for name, value in ({"m": numbers} | (constants or {})).items()
            ],
        ),
        opset_imports=domains,
    )
    made.ir_version = 8
    path.write_bytes(made.SerializeToString())
    return path
