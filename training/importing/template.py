"""Where the landmarks go in a chip of the imported network."""

from __future__ import annotations

import numpy as np

from model.templates import ARCFACE_112
from model.types import Array

_SIDE_PX = 112


def template_of(text: str, size: tuple[int, int]) -> Array:
    """The template that a user names or writes out.

    Args:
        text: "arcface" (112 x 112 chips only), "scaled" (the same template as
            high as the chip and in its middle), or ten numbers x1,y1,...,x5,y5 in
            pixels, in the order of `model.faces.LANDMARKS`.
        size: (height, width) of the chip.

    Returns:
        (x, y) in pixels. Shape (5, 2).

    Raises:
        ValueError: If it is none of these, or a point lies outside the chip.
    """
    if text == "arcface":
        if size != (_SIDE_PX, _SIDE_PX):
            raise ValueError(
                f"expected pictures of 112 x 112 with the template arcface, found {size[0]} x "
                f"{size[1]}; use --template scaled"
            )
        return ARCFACE_112
    if text == "scaled":
        return scaled(size)
    return _written(text, size)


def scaled(size: tuple[int, int]) -> Array:
    """ARCFACE_112 for chips of another size. Shape (5, 2).

    At 112 x 96 these are the points that SphereFace and its time used.
    """
    height, width = size
    centred = (ARCFACE_112 - [_SIDE_PX / 2, 0]) * (height / _SIDE_PX) + [width / 2, 0]
    return np.asarray(centred, dtype=np.float32)


def _written(text: str, size: tuple[int, int]) -> Array:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        values = []
    if len(values) != 10 or not np.isfinite(values).all():
        raise ValueError(
            f"expected the template arcface, scaled or ten numbers x1,y1,...,x5,y5, found '{text}'"
        )
    points = np.array(values, dtype=np.float32).reshape(5, 2)
    if points.min() < 0 or (points > [size[1], size[0]]).any():
        raise ValueError(
            f"expected the template's points within {size[0]} x {size[1]} pixels, found '{text}'"
        )
    if np.ptp(points, axis=0).max() < 1:
        raise ValueError(f"expected a template of five different points, found '{text}'")
    return points


def size_of(text: str) -> tuple[int, int]:
    """(height, width) out of "112,96".

    Raises:
        ValueError: If it is no two whole numbers from 16 to 1024.
    """
    parts = text.split(",")
    if len(parts) == 2 and all(part.strip().isdecimal() for part in parts):
        height, width = (int(part) for part in parts)
        if min(height, width) >= 16 and max(height, width) <= 1024:
            return height, width
    raise ValueError(f"expected --size as height,width from 16 to 1024, found '{text}'")
