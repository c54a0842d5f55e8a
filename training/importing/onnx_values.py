"""Values on their way through an ONNX graph, and the order of their axes.

ONNX convolves N x C x H x W, TensorFlow on a CPU N x H x W x C. A tensor of four
axes may lie in TensorFlow's order while its graph speaks of ONNX's; `Tensor.last`
says so, and an axis is only moved where an operation needs the order as written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from model.types import AnyArray
from training.importing.network import ImportedNetworkError

TO_LAST, TO_FIRST = (0, 2, 3, 1), (0, 3, 1, 2)
_AXIS_WHEN_LAST = {0: 0, 1: 3, 2: 1, 3: 2}


class Unsupported(ImportedNetworkError):
    """An operation, or a way of using one, that is not converted."""


@dataclass(frozen=True)
class Tensor:
    """What flows; the first axis is always the batch.

    Attributes:
        data: As TensorFlow has it.
        last: Whether `data` is N x H x W x C where the graph says N x C x H x W.
    """

    data: tf.Tensor
    last: bool = False

    @property
    def shape(self) -> list[int]:
        """As the graph would have it for one picture."""
        axes = [1, *map(int, self.data.shape[1:])]
        return [axes[place] for place in TO_FIRST] if self.last else axes

    @property
    def rank(self) -> int:
        return len(self.data.shape)

    def axis(self, axis: int) -> int:
        """Where the graph's axis is in `data`."""
        axis = axis + self.rank if axis < 0 else axis
        return _AXIS_WHEN_LAST[axis] if self.last else axis


Value = Tensor | AnyArray
"""A tensor, or a constant in the graph's own order."""


def plain(value: Value) -> tf.Tensor:
    """In the order that the graph speaks of."""
    if isinstance(value, Tensor):
        return tf.transpose(value.data, TO_FIRST) if value.last else value.data
    return tf.constant(value)


def channels_last(value: Value) -> tf.Tensor:
    """A tensor of four axes as N x H x W x C."""
    if not isinstance(value, Tensor) or value.rank != 4:
        raise Unsupported("expected a convolution or pool of pictures, found one of other data")
    return value.data if value.last else tf.transpose(value.data, TO_LAST)


def beside(constant: AnyArray, tensor: Tensor) -> AnyArray:
    """A constant so that it broadcasts against `tensor.data` as against the tensor."""
    if not tensor.last or constant.ndim == 0:
        return constant
    if constant.ndim > 4:
        raise Unsupported("expected a constant of up to four axes, found more")
    whole = constant.reshape((1,) * (4 - constant.ndim) + constant.shape)
    return whole.transpose(TO_LAST)


def aligned(values: list[Value]) -> tuple[list[Any], bool]:
    """Data of several values in one common order, and whether that is channels-last."""
    tensors = [value for value in values if isinstance(value, Tensor)]
    if all(tensor.last for tensor in tensors):
        first = tensors[0]
        return [v.data if isinstance(v, Tensor) else beside(v, first) for v in values], True
    return [plain(v) if isinstance(v, Tensor) else v for v in values], False


def constant(value: Value | None, what: str) -> AnyArray:
    """A value that must not depend on the picture."""
    if value is None or isinstance(value, Tensor):
        raise Unsupported(f"expected constant {what}, found some that the picture decides")
    return np.asarray(value)
