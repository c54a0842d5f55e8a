"""Pictures as a camera would see them: of a person, of a print, of a screen.

Rendered, not photographed: a print is a raster of dots on tinted paper, a screen a grid of
coloured stripes that the camera's own grid beats with. All three are then seen by the same
imagined camera (`captured`), so that no trace of the rendering itself tells them apart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from model.types import AnyArray, Image

Generator = np.random.Generator
_WORK_PX: Final = 480
"""Longer side at which paper and screen are drawn: their grids are finer than the camera's."""


def live(image: Image, random: Generator) -> Image:
    """The person itself, seen by the camera."""
    return captured(_enlarged(image), random)


def printed(image: Image, random: Generator) -> Image:
    """A print on paper, held before the camera."""
    ink = _enlarged(image).astype(np.float32) / 255
    # Paper reflects less than a screen glows, and ink is never quite black.
    white = np.array([1.0, random.uniform(0.94, 1.0), random.uniform(0.86, 0.98)])
    black = random.uniform(0.05, 0.16)
    ink = black + (white * random.uniform(0.82, 0.97) - black) * ink ** random.uniform(0.85, 1.2)
    ink = _halftone(ink.astype(np.float32), random)
    ink = cv2.GaussianBlur(ink, (0, 0), random.uniform(0.5, 1.3))
    return captured(_held(_bytes(ink), random), random)


def replayed(image: Image, random: Generator) -> Image:
    """A screen that shows the picture, held before the camera."""
    glow = (_enlarged(image).astype(np.float32) / 255) ** random.uniform(0.8, 1.3)
    glow *= np.array([random.uniform(0.88, 1), random.uniform(0.94, 1), 1.0], dtype=np.float32)
    glow = random.uniform(0.02, 0.08) + glow * random.uniform(0.85, 1.0)
    glow = _pixel_grid(glow.astype(np.float32), random)
    return captured(_glared(_held(_bytes(glow), random), random), random)


ATTACKS: Final[dict[str, Callable[[Image, Generator], Image]]] = {
    "print": printed,
    "replay": replayed,
}


def captured(image: Image, random: Generator) -> Image:
    """What a webcam makes of a sight: fewer pixels, its own blur, light, noise and JPEG."""
    side_px = int(random.integers(150, 230))
    scale = side_px / max(image.shape[:2])
    # No averaging over areas: that a camera's pixels miss what lies between makes moire.
    how = cv2.INTER_LINEAR if random.random() < 0.5 else cv2.INTER_AREA
    seen = cv2.resize(image, None, fx=scale, fy=scale, interpolation=how).astype(np.float32)
    seen = cv2.GaussianBlur(seen, (0, 0), random.uniform(0.2, 0.9))
    seen = seen * random.uniform(0.75, 1.15) + random.uniform(-10, 14)
    seen = seen * random.uniform(0.95, 1.05, 3).astype(np.float32)
    seen += random.normal(0, random.uniform(0.5, 4), seen.shape).astype(np.float32)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(70, 96))]
    _, encoded = cv2.imencode(".jpg", _bytes(seen / 255), quality)
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), dtype=np.uint8)


def _enlarged(image: Image) -> Image:
    scale = _WORK_PX / max(image.shape[:2])
    large = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    return np.asarray(large, dtype=np.uint8)


def _halftone(ink: AnyArray, random: Generator) -> AnyArray:
    """A raster of dots for each ink, turned by its own angle; partly, as eyes and lenses blend."""
    height, width = ink.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    period_px = random.uniform(2.6, 5.0)
    out = np.empty_like(ink)
    for channel, degrees in enumerate((15, 75, 45)):
        turn = np.deg2rad(degrees + random.uniform(-5, 5))
        u = (x * np.cos(turn) + y * np.sin(turn)) * (2 * np.pi / period_px)
        v = (y * np.cos(turn) - x * np.sin(turn)) * (2 * np.pi / period_px)
        threshold = 0.5 + 0.25 * (np.cos(u) + np.cos(v))
        out[..., channel] = 1 / (1 + np.exp(-(ink[..., channel] - threshold) * 8))
    share = np.float32(random.uniform(0.15, 0.5))
    return np.asarray(ink * (1 - share) + out * share, dtype=np.float32)


def _pixel_grid(glow: AnyArray, random: Generator) -> AnyArray:
    """Stripes of red, green and blue, with dark lines between rows."""
    height, width = glow.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    period_px = random.uniform(2.2, 4.5)
    depth = random.uniform(0.15, 0.55)
    for channel in range(3):
        stripe = np.cos((x / period_px - channel / 3) * 2 * np.pi)
        glow[..., channel] *= 1 - depth / 2 + depth / 2 * stripe
    glow *= (1 - depth / 4 + depth / 4 * np.cos(y / period_px * 2 * np.pi))[..., None]
    return glow


def _held(image: Image, random: Generator) -> Image:
    """A little turned and tilted, before another background; its edge may be seen."""
    height, width = image.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float32)
    centre = np.array([width / 2, height / 2], dtype=np.float32)
    turn = np.deg2rad(random.uniform(-6, 6))
    turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    moved = (corners - centre) @ turned.T.astype(np.float32) * random.uniform(0.92, 1.25) + centre
    moved += random.uniform(-0.03, 0.03, (4, 2)).astype(np.float32) * width
    behind = (random.uniform(30, 190) + random.uniform(-15, 15, 3)).tolist()
    matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    seen = cv2.warpPerspective(
        image, matrix, (width, height), flags=cv2.INTER_LINEAR, borderValue=behind
    )
    return np.asarray(seen, dtype=np.uint8)


def _glared(image: Image, random: Generator) -> Image:
    """A lamp mirrored in the glass."""
    if random.random() < 0.4:
        return image
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    cx, cy = random.uniform(0, width), random.uniform(0, height)
    spread = random.uniform(0.08, 0.35) * width
    glare = np.exp(-(((x - cx) ** 2 + ((y - cy) * random.uniform(0.5, 2)) ** 2) / spread**2))
    return _bytes(image / 255 + glare[..., None] * random.uniform(0.15, 0.5))


def _bytes(image: AnyArray) -> Image:
    return np.asarray(np.clip(np.rint(image * 255), 0, 255), dtype=np.uint8)
