"""Read the weights of dlib's face network from its .dat file.

dlib writes a network as nested layers, from the loss inwards: version numbers of
all layers first, then, from the innermost outwards, each layer's own fields. Read
from the first layer's name on, that is a flat run of records in the order in
which a picture passes them. Between the records lie only numbers and flags of the
training, which are stepped over.

    number    a byte, low four bits: how many bytes follow, highest bit: the sign;
              then these bytes, the lowest first
    flag      one character, "0" or "1"
    string    its length as a number, then its bytes
    tensor    numbers: version 2, samples, channels, rows, columns; then float32,
              little-endian
    con_4     tensor (filters, then biases); numbers: filters, rows, columns,
              strides, paddings; shapes of the filters and of the biases
    affine_   tensor (scales, then offsets)
    fc_2      numbers: outputs, inputs; tensor (inputs, outputs)

Source:
    dlib, dlib/serialize.h, dlib/cuda/tensor.h and dlib/dnn/layers.h, as a
    description of the format.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from model.backbones.dlib_resnet import Convolution, Weights
from model.types import Array

_FIRST = b"input_rgb_image_sized"
_CONVOLUTION, _AFFINE, _DENSE = b"con_4", b"affine_", b"fc_2"
_NAMED = (_CONVOLUTION, _AFFINE, _DENSE, b"relu_", b"max_pool_2", b"avg_pool_2", b"add_prev_")
_SHAPE_VERSION, _TENSOR_VERSION = 1, 2


def read_dlib(path: Path) -> Weights:
    """The weights in the file.

    Raises:
        ValueError: If it is not a network of this make.
    """
    data = path.read_bytes()
    start = data.find(_FIRST)
    if start < 0:
        raise ValueError(f"expected a network that dlib wrote, found none in {path.name}")
    reader = _Reader(data, start + len(_FIRST))
    convolutions: list[Convolution] = []
    pending: tuple[Array, Array] | None = None
    matrix: Array | None = None
    while not reader.at_end:
        name = reader.name()
        if name == _CONVOLUTION:
            pending = reader.convolution()
        elif name == _AFFINE and pending is not None:
            size = len(pending[1])
            scale, offset = reader.tensor(2 * size).reshape(2, size)
            convolutions.append(Convolution(*pending, scale, offset))
            pending = None
        elif name == _DENSE:
            outputs, inputs = reader.size(), reader.size()
            matrix = reader.tensor(inputs * outputs).reshape(inputs, outputs)
        elif name is None:
            reader.step()
    if matrix is None:
        raise ValueError(f"expected a last layer '{_DENSE.decode()}' in {path.name}, found none")
    return Weights(convolutions, matrix)


class _Reader:
    """A place in the file that moves on as things are read."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data = data
        self._at = at

    @property
    def at_end(self) -> bool:
        return self._at >= len(self._data)

    def number(self) -> int:
        head = self._data[self._at] if not self.at_end else 0
        length = head & 15
        end = self._at + 1 + length
        if not 1 <= length <= 8 or end > len(self._data):
            raise ValueError(f"expected a number at byte {self._at}, found something else")
        value = int.from_bytes(self._data[self._at + 1 : end], "little")
        self._at = end
        return -value if head & 128 else value

    def size(self) -> int:
        """A number that counts something."""
        at = self._at
        value = self.number()
        if value < 0:
            raise ValueError(f"expected a size at byte {at}, found {value}")
        return value

    def name(self) -> bytes | None:
        """The name of a layer if one begins here; moves past it."""
        for name in _NAMED:
            if self._data.startswith(bytes([1, len(name)]) + name, self._at):
                self._at += 2 + len(name)
                return name
        return None

    def step(self) -> None:
        """Moves past a number or a flag."""
        if self._data[self._at] in b"01":
            self._at += 1
        else:
            self.number()

    def tensor(self, expected: int | None = None) -> Array:
        """All of its numbers in one row. Shape (samples * channels * rows * columns,)."""
        version = self.number()
        if version != _TENSOR_VERSION:
            raise ValueError(f"expected a tensor of version {_TENSOR_VERSION}, found {version}")
        count = math.prod(self._sizes())
        if expected is not None and count != expected:
            raise ValueError(f"expected {expected} numbers at byte {self._at}, found {count}")
        end = self._at + 4 * count
        if end > len(self._data):
            raise ValueError(f"expected {count} numbers at byte {self._at}, found the file's end")
        values = np.frombuffer(self._data, dtype="<f4", count=count, offset=self._at)
        self._at = end
        return values.astype(np.float32)

    def shape(self) -> tuple[int, int, int, int]:
        version = self.number()
        if version != _SHAPE_VERSION:
            raise ValueError(f"expected a shape of version {_SHAPE_VERSION}, found {version}")
        return self._sizes()

    def _sizes(self) -> tuple[int, int, int, int]:
        return self.size(), self.size(), self.size(), self.size()

    def convolution(self) -> tuple[Array, Array]:
        """Filters, shape (out, in, height, width), and biases, shape (out,)."""
        values = self.tensor()
        for _ in range(7):  # filters, rows, columns, two strides, two paddings
            self.number()
        filters, biases = self.shape(), self.shape()
        split, rest = math.prod(filters), math.prod(biases)
        if split + rest != len(values):
            raise ValueError(f"expected {split} + {rest} numbers, found {len(values)}")
        return values[:split].reshape(filters), values[split:]
