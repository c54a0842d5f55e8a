"""What YuNet says of a picture, cell by cell, and where its cells lie."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import openvino as ov

from model.types import AnyArray, Array

STRIDES = (8, 16, 32)
"""Pixels of a cell in the three grids."""

_MOST_SIZES: Final = 16
"""Whose cells' corners are kept: at most 0.4 MiB of one, for an image of 1280 x 1280."""


@dataclass(frozen=True)
class Cells:
    """The cells of one image that see a face.

    Attributes:
        numbers: Over all grids, the finest first, row by row. Shape (N,).
        confidence: Shape (N,).
        places: Box (x, y, log width, log height) and five landmarks (x, y), in cells, from
            the cell's upper left corner. Shape (N, 14).
    """

    numbers: AnyArray
    confidence: Array
    places: Array


def cells_of(request: ov.InferRequest, row: int, min_confidence: float) -> Cells:
    """Copies those of one image of a batch: the next inference writes over the rest."""
    confidence = request.get_tensor("confidence:0").data[row]
    (numbers,) = np.nonzero(confidence >= min_confidence)
    places = request.get_tensor("places:0").data[row, numbers]
    return Cells(numbers, confidence[numbers], places)


def boxes_and_points(cells: Cells, size: tuple[int, int]) -> tuple[Array, Array]:
    """What the cells of an image of (height, width) see, in its pixels.

    Returns:
        Boxes (x, y, width, height), shape (N, 4), and landmarks, shape (N, 5, 2).
    """
    corners, strides = _corners(cells.numbers, size)
    extents = np.exp(cells.places[:, 2:4]) * strides
    upper_left = corners + cells.places[:, :2] * strides - extents / 2
    points = corners[:, None] + cells.places[:, 4:].reshape(-1, 5, 2) * strides[:, None]
    return np.concatenate([upper_left, extents], axis=1), points


def _corners(cells: AnyArray, size: tuple[int, int]) -> tuple[Array, Array]:
    """Upper left corners of cells in pixels and the strides of their grids.

    Args:
        cells: Numbers over all grids. Shape (N,).
        size: (height, width) of the image.

    Returns:
        Shapes (N, 2) and (N, 1), float32.
    """
    corners, strides = _all_corners(size)
    return corners[cells], strides[cells]


@lru_cache(maxsize=_MOST_SIZES)
def _all_corners(size: tuple[int, int]) -> tuple[Array, Array]:
    """Those of every cell of an image of (height, width)."""
    corners, strides = [], []
    for stride in STRIDES:
        rows, columns = np.indices((size[0] // stride, size[1] // stride)).reshape(2, -1)
        corners.append(np.stack([columns, rows], axis=1) * stride)
        strides.append(np.full((len(rows), 1), stride))
    return np.concatenate(corners).astype(np.float32), np.concatenate(strides).astype(np.float32)
