"""An ONNX graph as TensorFlow operations.

Only what face-embedding networks are made of, and every other operation is
refused by name: a conversion that guesses is worse than none. The weights become
constants of the graph. Why not a library: docs/decisions.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
import tensorflow as tf
from onnx import ModelProto, NodeProto, numpy_helper
from onnx.reference import ReferenceEvaluator

from model.types import AnyArray
from training.importing.onnx_layers import LAYERS
from training.importing.onnx_pointwise import POINTWISE
from training.importing.onnx_shapes import SHAPES
from training.importing.onnx_values import Tensor, Unsupported, Value, plain

OPERATIONS = LAYERS | POINTWISE | SHAPES
_OWN_DOMAINS = ("", "ai.onnx")
_OLDEST_OPSET = 7
"""Before it, operations broadcast by other rules."""


class OnnxGraph:
    """The part of an ONNX file that leads from its picture to one output.

    Args:
        network: Checked, its functions inlined.
        source: Name of the input that takes the pictures.
        output: Name of the output to compute.

    Raises:
        Unsupported: If a needed operation is not converted; names all of those.
    """

    def __init__(self, network: ModelProto, source: str, output: str) -> None:
        self._source, self._output = source, output
        self._constants = {
            item.name: _in_float32(numpy_helper.to_array(item))
            for item in network.graph.initializer
        }
        self._opset = max(
            (item.version for item in network.opset_import if item.domain in _OWN_DOMAINS),
            default=0,
        )
        if self._opset < _OLDEST_OPSET:
            raise Unsupported(
                f"expected ONNX of opset {_OLDEST_OPSET} or later, found {self._opset}; "
                "export the network again"
            )
        self._nodes = _needed(network.graph.node, output)
        self._fold()
        unknown = sorted({_name(node) for node in self._nodes} - OPERATIONS.keys() - {"Shape"})
        if unknown:
            raise Unsupported(
                f"expected operations of face-embedding networks, found {', '.join(unknown)}, "
                "which cannot be converted"
            )

    def run(self, pictures: tf.Tensor, *, channels_first: bool) -> tf.Tensor:
        """Pictures (N, H, W, 3) -> the output, in the graph's own order of axes."""
        values: dict[str, Value] = dict(self._constants)
        values[self._source] = Tensor(pictures, last=channels_first)
        for node in self._nodes:
            given = [values[name] if name else None for name in node.input]
            for name, found in zip(node.output, self._answers(node, given), strict=False):
                values[name] = found
        return plain(values[self._output])

    def _answers(self, node: NodeProto, given: list[Any]) -> Iterable[Value]:
        first = given[0] if given else None
        if node.op_type == "Shape" and isinstance(first, Tensor):
            options = _options(node)
            return (np.array(first.shape[options.get("start", 0) : options.get("end")]),)
        if not any(isinstance(value, Tensor) for value in given):
            return self._folded(node, given)
        options = _options(node) | {"opset": self._opset, "outputs": len(node.output)}
        try:
            answer = OPERATIONS[_name(node)](given, options)
        except Unsupported as error:
            raise Unsupported(f"{node.op_type} '{node.name}': {error}") from error
        except (ValueError, TypeError, KeyError, tf.errors.OpError) as error:
            raise Unsupported(
                f"expected a well-formed graph, found the operation {node.op_type} '{node.name}' "
                "that cannot be computed"
            ) from error
        return answer if isinstance(answer, tuple) else (answer,)

    def _fold(self) -> None:
        """Computes what no picture decides, so that only the rest must be known."""
        left = []
        for node in self._nodes:
            if all(name in self._constants for name in node.input if name):
                given = [self._constants[name] if name else None for name in node.input]
                found = self._folded(node, given)
                self._constants |= dict(zip(node.output, found, strict=False))
            else:
                left.append(node)
        self._nodes = left

    def _folded(self, node: NodeProto, given: list[AnyArray | None]) -> list[AnyArray]:
        feeds = {name: v for name, v in zip(node.input, given, strict=True) if name}
        try:
            evaluator = ReferenceEvaluator(node, opsets={"": self._opset})
            found = evaluator.run(None, feeds)
        except Exception as error:  # whatever a broken graph makes of NumPy
            raise Unsupported(
                f"expected operations of face-embedding networks, found {_name(node)} "
                f"'{node.name}', which cannot be computed"
            ) from error
        return [_in_float32(np.asarray(item)) for item in found]


def _needed(nodes: Iterable[NodeProto], output: str) -> list[NodeProto]:
    """The nodes that `output` depends on, in order."""
    wanted, kept = {output}, []
    for node in reversed(list(nodes)):
        if wanted & set(node.output):
            wanted |= set(node.input)
            kept.append(node)
    return kept[::-1]


def _name(node: NodeProto) -> str:
    return node.op_type if node.domain in _OWN_DOMAINS else f"{node.domain}.{node.op_type}"


def _options(node: NodeProto) -> dict[str, Any]:
    return {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}


def _in_float32(array: AnyArray) -> AnyArray:
    """Halves and doubles, too, are computed with in float32."""
    floating = np.issubdtype(array.dtype, np.floating) or array.dtype.name == "bfloat16"
    return array.astype(np.float32) if floating else array
