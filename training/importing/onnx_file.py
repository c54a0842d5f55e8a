"""A face-embedding network out of an ONNX file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import openvino as ov
import tensorflow as tf
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import ModelProto, TensorProto, ValueInfoProto
from onnx.reference import ReferenceEvaluator

from model.types import AnyArray, Array
from training.importing.network import (
    ImportedNetworkError,
    Network,
    choose_output,
    embedding_size,
    picture_layout,
)
from training.importing.onnx_graph import OnnxGraph

_FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16)


def read_onnx(path: Path, size: tuple[int, int] | None, output: str | None) -> Network:
    """The network, as TensorFlow operations, and as another program reads the same file.

    Args:
        size: (height, width) of the pictures, where the file leaves it open.
        output: Name of the output that is the embedding, where there are several.

    Raises:
        ImportedNetworkError: If it is no such network, or cannot be converted.
    """
    network = _load(path)
    source = _picture_input(network)
    size, first = picture_layout(_shape(source), size)
    chosen = choose_output([item.name for item in network.graph.output], output)
    graph = OnnxGraph(network, source.name, chosen)

    def raw(pictures: tf.Tensor) -> tf.Tensor:
        return graph.run(pictures, channels_first=first)

    # AutoGraph would rewrite the sentences of our errors; there is no Python to convert.
    spec = tf.TensorSpec((None, *size, 3), tf.float32)
    traced = tf.function(raw, input_signature=[spec], autograph=False)
    numbers = embedding_size(traced.get_concrete_function().output_shapes.as_list())

    def run(pictures: tf.Tensor) -> tf.Tensor:
        return tf.reshape(raw(pictures), (-1, numbers))

    reference = _elsewhere(network, source, chosen, size, channels_first=first)
    return Network(run, reference, size, numbers)


def _load(path: Path) -> ModelProto:
    try:
        network = onnx.load(path)
        onnx.checker.check_model(network)
        return onnx.inliner.inline_local_functions(network) if network.functions else network
    except (DecodeError, onnx.checker.ValidationError, ValueError, RuntimeError) as error:
        raise ImportedNetworkError(
            f"expected an ONNX network in '{path.name}', found something else: {_first(error)}"
        ) from error


def _first(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:160]


def _picture_input(network: ModelProto) -> ValueInfoProto:
    weights = {item.name for item in network.graph.initializer}
    inputs = [item for item in network.graph.input if item.name not in weights]
    if len(inputs) != 1:
        named = ", ".join(item.name for item in inputs) or "none"
        raise ImportedNetworkError(f"expected one input, found {len(inputs)}: {named}")
    if inputs[0].type.tensor_type.elem_type not in _FLOATS:
        found = TensorProto.DataType.Name(inputs[0].type.tensor_type.elem_type).lower()
        raise ImportedNetworkError(f"expected an input of floating point, found {found}")
    return inputs[0]


def _shape(source: ValueInfoProto) -> list[int | None]:
    axes = source.type.tensor_type.shape.dim
    return [axis.dim_value if axis.dim_value > 0 else None for axis in axes]


def _elsewhere(
    network: ModelProto,
    source: ValueInfoProto,
    output: str,
    size: tuple[int, int],
    *,
    channels_first: bool,
) -> Callable[[Array], Array]:
    """The file as another program runs it, a picture at a time."""
    half = source.type.tensor_type.elem_type == TensorProto.FLOAT16
    shape = [1, 3, *size] if channels_first else [1, *size, 3]
    one = _in_openvino(network, source.name, output, shape)

    def embed(pictures: Array) -> Array:
        ordered = pictures.transpose(0, 3, 1, 2) if channels_first else pictures
        ordered = ordered.astype(np.float16) if half else ordered
        rows = [np.asarray(one({source.name: row[None]})).ravel() for row in ordered]
        return np.stack(rows).astype(np.float32)

    return embed


def _in_openvino(
    network: ModelProto, source: str, output: str, shape: list[int]
) -> Callable[[dict[str, AnyArray]], AnyArray]:
    """OpenVINO's own reader of ONNX, or ONNX's slow one for what OpenVINO does not read."""
    try:
        read = ov.Core().read_model(network.SerializeToString())
        read.reshape({source: shape})
        compiled = ov.Core().compile_model(read, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    except RuntimeError:
        # Such as the 8-bit blocks of OpenCV Zoo's small files.
        evaluator = ReferenceEvaluator(network)
        return lambda feed: evaluator.run([output], feed)[0]
    return lambda feed: compiled(feed)[output]
