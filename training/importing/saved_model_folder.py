"""A face-embedding network out of a SavedModel folder.

A SavedModel is a program. One with operations that reach files, Python or other
machines is refused before TensorFlow loads it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tensorflow as tf
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

from training.importing.keras_file import eager, in_kind
from training.importing.network import (
    ImportedNetworkError,
    Network,
    choose_output,
    embedding_size,
    picture_layout,
)

_REACHING_OUT = (
    "PyFunc",
    "EagerPyFunc",
    "ReadFile",
    "WriteFile",
    "MatchingFiles",
    "FixedLengthRecord",
    "TextLine",
    "TFRecord",
    "LMDB",
    "IdentityReader",
    "WholeFileReader",
    "Dataset",
    "LookupTableFromFile",
    "InitializeTableFromTextFile",
    "Rpc",
    "PrintV2",
    "Debug",
)


def read_saved_model(path: Path, size: tuple[int, int] | None, output: str | None) -> Network:
    """The network behind a SavedModel's serving signature.

    Args:
        size: (height, width) of the pictures, where the file leaves it open.
        output: Name of the output that is the embedding, where there are several.

    Raises:
        ImportedNetworkError: If it is no such network, or reaches out of itself.
    """
    _check_operations(path)
    try:
        loaded = tf.saved_model.load(str(path))
    except Exception as error:  # TensorFlow has no one kind of error for a broken folder
        raise ImportedNetworkError(
            f"expected a SavedModel that TensorFlow reads, found a broken one in '{path.name}'"
        ) from error
    signature = _signature(loaded)
    inputs = signature.structured_input_signature[1]
    if len(inputs) != 1:
        raise ImportedNetworkError(f"expected one input, found {len(inputs)}: {', '.join(inputs)}")
    ((name, spec),) = inputs.items()
    size, first = picture_layout(_shape(spec), size)
    chosen = choose_output(sorted(signature.structured_outputs), output)

    def raw(pictures: tf.Tensor) -> tf.Tensor:
        ordered = tf.transpose(pictures, (0, 3, 1, 2)) if first else pictures
        return tf.cast(signature(**{name: in_kind(ordered, spec.dtype)})[chosen], tf.float32)

    # Two pictures, since a signature may leave the shape of its output open.
    try:
        found = raw(tf.zeros((2, *size, 3))).shape.as_list()
    except (ValueError, tf.errors.OpError) as error:
        raise ImportedNetworkError(
            f"expected a network for any number of pictures of {size[0]} x {size[1]}, found one "
            "that cannot compute two"
        ) from error
    numbers = embedding_size([None if found[:1] == [2] else 1, *found[1:]] if found else [])

    def run(pictures: tf.Tensor) -> tf.Tensor:
        return tf.reshape(raw(pictures), (tf.shape(pictures)[0], numbers))

    return Network(run, eager(run), size, numbers, keep=loaded)


def _shape(spec: Any) -> list[int | None]:
    return [] if spec.shape.rank is None else list(spec.shape)


def _signature(loaded: Any) -> Any:
    signatures = loaded.signatures
    names = sorted(signatures)
    wanted = "serving_default" if "serving_default" in names else None
    wanted = wanted or (names[0] if len(names) == 1 else None)
    if wanted is None:
        raise ImportedNetworkError(
            "expected one signature or serving_default in the SavedModel, found "
            f"{', '.join(names) or 'none'}"
        )
    return signatures[wanted]


def _check_operations(path: Path) -> None:
    file = path / "saved_model.pb"
    if not file.is_file():
        raise ImportedNetworkError(
            f"expected a SavedModel with saved_model.pb, found none in '{path.name}'"
        )
    content = SavedModel()
    try:
        content.ParseFromString(file.read_bytes())
    except DecodeError as error:
        raise ImportedNetworkError(
            f"expected a SavedModel in '{path.name}', found something else in saved_model.pb"
        ) from error
    found = {
        node.op
        for graph in content.meta_graphs
        for nodes in (graph.graph_def.node, *(f.node_def for f in graph.graph_def.library.function))
        for node in nodes
    }
    outside = sorted(op for op in found if any(part in op for part in _REACHING_OUT))
    if outside:
        raise ImportedNetworkError(
            f"expected a network, found a program with {', '.join(outside)} in '{path.name}', "
            "which is not run"
        )
