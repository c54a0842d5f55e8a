"""A face-embedding network out of a .keras file."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from model.types import Array
from training.importing.network import (
    ImportedNetworkError,
    Network,
    choose_output,
    embedding_size,
    picture_layout,
)


def read_keras(path: Path, size: tuple[int, int] | None, output: str | None) -> Network:
    """The network of a .keras file; code in the file is not run.

    Args:
        size: (height, width) of the pictures, where the file leaves it open.
        output: Name of the output that is the embedding, where there are several.

    Raises:
        ImportedNetworkError: If it is no such network, or holds code.
    """
    network = _load(path)
    inputs = getattr(network, "inputs", None) or []
    if len(inputs) != 1:
        raise ImportedNetworkError(f"expected one input, found {len(inputs)}")
    size, first = picture_layout(list(inputs[0].shape), size)
    outputs = list(network.outputs)
    names = list(getattr(network, "output_names", []))
    if len(names) != len(outputs):
        names = [tensor.name for tensor in outputs]
    place = names.index(choose_output(names, output))
    one = network if len(outputs) == 1 else keras.Model(inputs, outputs[place])
    kind = inputs[0].dtype

    def run(pictures: tf.Tensor) -> tf.Tensor:
        ordered = tf.transpose(pictures, (0, 3, 1, 2)) if first else pictures
        found = one(in_kind(ordered, kind), training=False)
        return tf.cast(tf.reshape(found, (tf.shape(pictures)[0], numbers)), tf.float32)

    numbers = embedding_size(_output_shape(one, size, kind, channels_first=first))
    return Network(run, eager(run), size, numbers, keep=one)


def _load(path: Path) -> Any:
    if not zipfile.is_zipfile(path):
        raise ImportedNetworkError(
            f"expected a .keras file (an archive that Keras 3 wrote), found something else in "
            f"'{path.name}'"
        )
    try:
        return keras.models.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras has no one kind of error for a broken file
        said = " ".join(str(error).split())
        if "safe_mode" in said or "Lambda" in said or "unsafe" in said.lower():
            raise ImportedNetworkError(
                f"expected a network of layers alone, found code in '{path.name}' (such as a "
                "Lambda layer), which is not run; write it with Keras' own layers"
            ) from error
        raise ImportedNetworkError(
            f"expected a network that Keras {keras.__version__} reads, found in '{path.name}': "
            f"{said[:160]}"
        ) from error


def _output_shape(network: Any, size: tuple[int, int], kind: str, *, channels_first: bool) -> Any:
    """Of the output for pictures of this size, the batch left open."""
    shape = (None, 3, *size) if channels_first else (None, *size, 3)
    try:
        symbol = network(keras.Input(shape[1:], dtype=kind))
        return list(symbol.shape)
    except Exception as error:
        raise ImportedNetworkError(
            f"expected a network for pictures of {size[0]} x {size[1]}, found one that cannot "
            "compute them"
        ) from error


def in_kind(pictures: tf.Tensor, kind: Any) -> tf.Tensor:
    """Pictures as numbers of the kind that the network takes."""
    kind = tf.as_dtype(kind)
    return tf.cast(tf.round(pictures) if kind.is_integer else pictures, kind)


def eager(run: Callable[[tf.Tensor], tf.Tensor]) -> Callable[[Array], Array]:
    """`run` as TensorFlow does it step by step, before anything was frozen."""

    def embed(pictures: Array) -> Array:
        return np.asarray(run(tf.constant(pictures)).numpy(), dtype=np.float32)

    return embed
