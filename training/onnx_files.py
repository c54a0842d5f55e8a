"""Tensors out of the published ONNX files, with block quantisation undone.

A block-quantised tensor is stored as int8 with one scale and zero point for
each run of `block_size` values along an axis: value = (q - zero_point) * scale.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import ModelProto, NodeProto, numpy_helper

from model.types import AnyArray, Array


def read_tensors(path: Path) -> dict[str, AnyArray]:
    """Every weight of the file by its name before quantisation."""
    return _tensors(onnx.load(path))


def read_convolutions(path: Path) -> list[tuple[Array, Array]]:
    """Weights and bias of every convolution, in the order in which they are computed."""
    network = onnx.load(path)
    tensors = _tensors(network)
    return [
        (tensors[_plain_name(node.input[1])], tensors[_plain_name(node.input[2])])
        for node in network.graph.node
        if node.op_type == "Conv"
    ]


def _tensors(network: ModelProto) -> dict[str, AnyArray]:
    stored = {item.name: numpy_helper.to_array(item) for item in network.graph.initializer}
    found = dict(stored)
    for node in network.graph.node:
        if node.op_type == "DequantizeLinear":
            found[_plain_name(node.output[0])] = _dequantised(node, stored)
        elif node.op_type == "Reshape" and _plain_name(node.output[0]) in found:
            name = _plain_name(node.output[0])
            found[name] = found[name].reshape(stored[node.input[1]])
    return found


def _plain_name(name: str) -> str:
    return name.removesuffix("_dequantized").removesuffix("_reshaped")


def _dequantised(node: NodeProto, stored: dict[str, AnyArray]) -> Array:
    options = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
    quantised, scale, zero_point = (stored[name] for name in node.input)
    axis = options.get("axis", 1)

    def spread(values: AnyArray) -> Array:
        wide = np.repeat(values.astype(np.float32), options["block_size"], axis=axis)
        return wide.take(range(quantised.shape[axis]), axis=axis)

    plain = (quantised.astype(np.float32) - spread(zero_point)) * spread(scale)
    return np.asarray(plain, dtype=np.float32)
