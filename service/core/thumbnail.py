"""A small picture of an enrolled face, to tell people apart on a page."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from model.image import ImageError, Limits, Picture
from model.types import Array
from service.core.errors import DamagedData
from service.core.ports import StoredImage

LARGEST_PX: Final = 512
SMALLEST_PX: Final = 32
_REACH: Final = 1.9
"""Half the side, in distances from the eyes to the mouth: the head and some hair."""
_JPEG_QUALITY: Final = 88
# What was accepted once is read again whatever the limits are now.
_NO_LIMITS = Limits(max_image_bytes=2**31, max_image_pixels=2**31, min_side_px=1)


def thumbnail(kept: StoredImage, size_px: int) -> bytes:
    """A JPEG of the square around the face, upright, as far as the picture reaches.

    Args:
        size_px: Longest side. A smaller face is not made larger.

    Raises:
        DamagedData: If the picture cannot be decoded.
    """
    left, top, right, bottom = _square(kept.landmarks)
    try:
        view = Picture(kept.data, _NO_LIMITS).view(max(1.0, (right - left) / size_px))
    except ImageError as error:
        raise DamagedData("a stored picture cannot be decoded") from error
    height, width = view.image.shape[:2]
    x, y, x_end, y_end = (edge / view.denominator for edge in (left, top, right, bottom))
    x, y = int(np.clip(x, 0, width - 1)), int(np.clip(y, 0, height - 1))
    x_end, y_end = int(np.clip(x_end, x + 1, width)), int(np.clip(y_end, y + 1, height))
    face = view.image[y:y_end, x:x_end]
    scale = size_px / max(face.shape[:2])
    if scale < 1:
        wanted = tuple(max(1, round(side * scale)) for side in face.shape[1::-1])
        face = cv2.resize(face, wanted, interpolation=cv2.INTER_AREA)
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(face, cv2.COLOR_RGB2BGR), options)
    return encoded.tobytes()


def _square(landmarks: Array) -> tuple[float, float, float, float]:
    """Left, top, right and bottom, in pixels; may reach outside of the picture.

    Args:
        landmarks: Shape (5, 2): eyes, nose, corners of the mouth.
    """
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0)
    # In profile the eyes are one above the other, so both distances are looked at.
    across = float(np.linalg.norm(landmarks[0] - landmarks[1]))
    half = _REACH * max(float(np.linalg.norm(eyes - mouth)), across, 1.0)
    x, y = (float(value) for value in (eyes + mouth) / 2)
    return x - half, y - half, x + half, y + half
