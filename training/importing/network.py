"""A network as its file holds it, before it is made a tower."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from model.types import Array
from training.data.errors import DataError


class ImportedNetworkError(DataError):
    """A file is no network that an artifact can be made of; says what was expected and found."""


@dataclass(frozen=True)
class Network:
    """A face-embedding network that TensorFlow can run.

    Attributes:
        run: The network in TensorFlow, traceable. Pictures (N, H, W, 3) float32,
            already preprocessed -> (N, D) float32.
        reference: The same network as another program runs it (or, for files
            that are TensorFlow's own, TensorFlow before anything was frozen), to
            check `run` against. Pictures as for `run` -> (N, D).
        size: (height, width) of a picture.
        keep: What must stay alive while `run` is in use.
    """

    run: Callable[[tf.Tensor], tf.Tensor]
    reference: Callable[[Array], Array]
    size: tuple[int, int]
    embedding_size: int
    keep: Any = None


def picture_layout(
    shape: Sequence[int | None], wanted: tuple[int, int] | None
) -> tuple[tuple[int, int], bool]:
    """Size of the pictures, and whether the three colours come first.

    Args:
        shape: Of the file's input; None for an axis that the file leaves open.
        wanted: (height, width) that the user states, or None.

    Raises:
        ImportedNetworkError: If it is no input of colour pictures, or the size is
            open, or another than `wanted`.
    """
    found = "x".join("?" if n is None else str(n) for n in shape) or "a single number"
    if len(shape) != 4:
        raise ImportedNetworkError(
            f"expected an input of pictures, N x H x W x 3 or N x 3 x H x W, found {found}"
        )
    first = shape[1] == 3
    if not first and shape[3] != 3:
        raise ImportedNetworkError(
            f"expected an input with 3 colours, N x H x W x 3 or N x 3 x H x W, found {found}"
        )
    height, width = shape[2:] if first else shape[1:3]
    if wanted is None:
        if height is None or width is None:
            raise ImportedNetworkError(
                f"the file leaves the size of its pictures open ({found}); "
                "expected it in --size, such as --size 112,112"
            )
        return (height, width), first
    if height not in (None, wanted[0]) or width not in (None, wanted[1]):
        raise ImportedNetworkError(
            f"expected pictures of {wanted[0]} x {wanted[1]} as --size says, found {found} in the "
            "file"
        )
    return wanted, first


def choose_output(names: Sequence[str], wanted: str | None) -> str:
    """The name of the output to use.

    Raises:
        ImportedNetworkError: If there are several and none is named, or no such one.
    """
    listed = ", ".join(names)
    if wanted is not None:
        if wanted not in names:
            raise ImportedNetworkError(f"expected one of the outputs {listed}, found '{wanted}'")
        return wanted
    if len(names) != 1:
        raise ImportedNetworkError(
            f"expected one output or its name in --embedding-output, found {len(names)}: {listed}"
        )
    return names[0]


def embedding_size(shape: Sequence[int | None]) -> int:
    """Numbers of an embedding, from the shape of a network's output.

    Raises:
        ImportedNetworkError: If it is no row of two numbers or more for each picture.
    """
    found = " x ".join("N" if n is None else str(n) for n in shape) or "a single number"
    axes = list(shape[1:])
    while len(axes) > 1 and axes[-1] == 1:
        axes.pop()
    while len(axes) > 1 and axes[0] == 1:
        axes.pop(0)
    if len(axes) != 1 or not axes[0]:
        raise ImportedNetworkError(
            f"expected an embedding for each picture, N x D, found an output of {found}"
        )
    if axes[0] < 2:
        raise ImportedNetworkError(
            f"expected an embedding of at least 2 numbers, found {axes[0]} (output {found})"
        )
    return axes[0]
