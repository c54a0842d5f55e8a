"""Cut the chip that the tower sees: the face turned onto a template.

Training and service both come through here, so a chip made offline and one made
for a request are the same bytes.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from model.contract import Interpolation
from model.types import Array, Image

_FLAGS: dict[Interpolation, int] = {"linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}


def align(
    image: Image,
    landmarks: Array,
    template: Array,
    size: tuple[int, int],
    *,
    interpolation: Interpolation = "linear",
) -> Image:
    """The chip: the face turned, scaled and shifted onto a template.

    A face much larger than the chip is first shrunk by area averaging, since
    one step of interpolation from a large face would alias.

    Args:
        image: RGB. Shape (H, W, 3), uint8.
        landmarks: Five points (x, y) in pixels of `image`. Shape (5, 2).
        template: Where they go, in pixels of the chip. Shape (5, 2).
        size: (height, width) of the chip.

    Returns:
        RGB chip, black outside the image. Shape (*size, 3), uint8.

    Raises:
        ValueError: If all landmarks are one point.
    """
    matrix = similarity(landmarks, template)
    scale = math.hypot(*matrix[0, :2])
    if scale < 0.5:
        image, landmarks = _shrunk_to(image, landmarks, template, size, scale * 1.5)
        matrix = similarity(landmarks, template)
    chip = cv2.warpAffine(image, matrix, size[::-1], flags=_FLAGS[interpolation])
    return np.asarray(chip, dtype=np.uint8)


def similarity(source: Array, target: Array) -> Array:
    """The least-squares rotation, scale and shift from one point set to another.

    In complex numbers a similarity is t = a s + b, and least squares gives
    a = <s - mean s, t - mean t> / |s - mean s|^2.

    Args:
        source: Points (x, y). Shape (K, 2).
        target: Points (x, y), in the same order. Shape (K, 2).

    Returns:
        Matrix for `cv2.warpAffine`. Shape (2, 3).

    Raises:
        ValueError: If all points of `source` are one.

    Source:
        Umeyama (1991), restricted to the plane and to no reflection.
    """
    # Python's numbers: for five points numpy's arrays take three times as long.
    s = [complex(x, y) for x, y in source.tolist()]
    t = [complex(x, y) for x, y in target.tolist()]
    mean_s, mean_t = sum(s) / len(s), sum(t) / len(t)
    centred = [one - mean_s for one in s]
    spread = sum(one.real * one.real + one.imag * one.imag for one in centred)
    if spread < 1e-9:
        raise ValueError("all source points are the same")
    a = sum(one.conjugate() * (other - mean_t) for one, other in zip(centred, t, strict=True))
    a /= spread
    b = mean_t - a * mean_s
    return np.array([[a.real, -a.imag, b.real], [a.imag, a.real, b.imag]], dtype=np.float32)


def _shrunk_to(
    image: Image, landmarks: Array, template: Array, size: tuple[int, int], factor: float
) -> tuple[Image, Array]:
    """The part of the image that the chip shows, made smaller by `factor`."""
    matrix = similarity(template, landmarks)
    height, width = size
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], dtype=np.float32)
    region = corners @ matrix[:, :2].T + matrix[:, 2]
    limit = np.array([image.shape[1], image.shape[0]])
    low = np.clip(np.floor(region.min(axis=0)) - 2, 0, limit - 1).astype(int)
    high = np.clip(np.ceil(region.max(axis=0)) + 2, low + 1, limit).astype(int)
    part = image[low[1] : high[1], low[0] : high[0]]
    new = np.maximum(1, np.round((high - low) * factor)).astype(int)
    small = cv2.resize(part, (int(new[0]), int(new[1])), interpolation=cv2.INTER_AREA)
    moved = (landmarks - low) * (new / (high - low))
    return np.asarray(small, dtype=np.uint8), moved.astype(np.float32)
