"""What is stored of an enrolled image: the face with a margin, all, or nothing."""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image as PillowImage

from model.faces import Face
from model.types import Array, Image
from service.core.policy import Keep

_MARGIN = 0.5
_MAX_SIDE_PX = 640
_JPEG_QUALITY = 95


@dataclass(frozen=True)
class Kept:
    """An encoded picture and the face's landmarks in its pixels, shape (5, 2)."""

    data: bytes | None
    media_type: str | None
    landmarks: Array


def kept_image(keep: Keep, data: bytes, image: Image, face: Face) -> Kept:
    """The picture to store.

    Args:
        data: The image as it was sent.
        image: The same, decoded and upright.
    """
    if keep == "none":
        return Kept(None, None, face.landmarks)
    if keep == "original":
        return Kept(data, _media_type(data), face.landmarks)
    return _crop(image, face)


def _crop(image: Image, face: Face) -> Kept:
    """The box with half its size around it on each side, at most 640 pixels."""
    height, width = image.shape[:2]
    margin_x, margin_y = face.width * _MARGIN, face.height * _MARGIN
    left = int(np.clip(face.x - margin_x, 0, width - 1))
    top = int(np.clip(face.y - margin_y, 0, height - 1))
    right = int(np.clip(face.x + face.width + margin_x, left + 1, width))
    bottom = int(np.clip(face.y + face.height + margin_y, top + 1, height))
    crop = image[top:bottom, left:right]
    scale = min(1.0, _MAX_SIDE_PX / max(crop.shape[:2]))
    if scale < 1:
        crop = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    options = [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
    options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(crop, cv2.COLOR_RGB2BGR), options)
    landmarks = face.moved(1.0, -left, -top).moved(scale).landmarks
    return Kept(encoded.tobytes(), "image/jpeg", landmarks)


def _media_type(data: bytes) -> str:
    with PillowImage.open(io.BytesIO(data)) as opened:
        return PillowImage.MIME.get(opened.format or "", "application/octet-stream")
