"""The pictures that are verified: real faces, put together by code.

Freely licensed portraits (tests/faces.py), one face each, its height 0.42 of the
picture's; a group of five, and the same picture with its largest face alone. Over
all of it lies the noise of a camera, so that a JPEG costs what a photograph costs.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

from model.faces import Detector, Face
from model.types import Image as Pixels
from tests.faces import faces
from tests.pictures import huge_one_bit_png

SIZES = {
    "250 x 250": (250, 250),
    "640 x 480": (640, 480),
    "1280 x 720": (1280, 720),
    "4000 x 3000": (4000, 3000),
}
"""Name and (width, height) of the pictures with one face."""

GROUP, ALONE = "group of five, 1280 x 720", "its largest face alone, 1280 x 720"
REFUSED = ("empty", "not an image", "decompression bomb")
_REFERENCE, _PROBE = "obama.jpg", "obama3.jpg"
_OTHERS = {"biden.jpg": 120, "astronaut.png": 340, "obama.jpg": 940, "obama2.jpg": 1160}
"""Who else is in the group, and where: the face's middle, in pixels from the left."""

_FACE_SHARE, _SMALL_FACE_SHARE = 0.42, 0.22
_NOISE, _QUALITY = 3.0, 92


class Pictures:
    """Files of all inputs in one folder: `path(name)` of the constants above."""

    def __init__(self, folder: Path, detector: Detector) -> None:
        self._folder = folder
        self._portraits = {name: _portrait(name, detector) for name in {_PROBE, *_OTHERS}}
        for name, size in SIZES.items():
            self._write(name, _jpeg(_noisy(self._alone(_PROBE, size))))
        others = [(name, x, _SMALL_FACE_SHARE) for name, x in _OTHERS.items()]
        largest = (_PROBE, 640, _FACE_SHARE)
        self._write(GROUP, _jpeg(_noisy(self._row([*others, largest], SIZES["1280 x 720"]))))
        self._write(ALONE, _jpeg(_noisy(self._row([largest], SIZES["1280 x 720"]))))
        self._write("reference", _jpeg(_noisy(self._alone(_REFERENCE, SIZES["640 x 480"]))))

    def path(self, name: str) -> Path:
        return self._folder / f"{name.replace(' ', '-').replace(',', '')}.jpg"

    def read(self, name: str) -> bytes:
        return self.path(name).read_bytes()

    def references(self, count: int) -> list[bytes]:
        """So many pictures of the enrolled person, no two the same."""
        image = self._alone(_REFERENCE, SIZES["250 x 250"])
        brightness = np.linspace(0.8, 1.2, count)
        return [_jpeg(ImageEnhance.Brightness(image).enhance(float(b))) for b in brightness]

    def _write(self, name: str, data: bytes) -> None:
        self.path(name).write_bytes(data)

    def _alone(self, name: str, size: tuple[int, int]) -> Image.Image:
        canvas = _background(size)
        image, face = self._portraits[name]
        _paste(canvas, image, face, _FACE_SHARE * size[1], (size[0] / 2, 0.45 * size[1]))
        return canvas

    def _row(self, people: list[tuple[str, int, float]], size: tuple[int, int]) -> Image.Image:
        canvas = _background(size)
        for name, x, share in people:
            image, face = self._portraits[name]
            head, inside = _head(image, face)
            _paste(canvas, head, inside, share * size[1], (x, size[1] / 2))
        return canvas


def refused_picture(name: str) -> bytes:
    """A picture that is refused, by its name in `REFUSED`."""
    if name == "empty":
        return b""
    return b"not a picture at all " * 500 if name == "not an image" else huge_one_bit_png()


def _portrait(name: str, detector: Detector) -> tuple[Image.Image, Face]:
    image = Image.open(faces().folder / name).convert("RGB")
    return image, detector.detect(np.asarray(image))[0]


def _head(image: Image.Image, face: Face) -> tuple[Image.Image, Face]:
    """The part of a portrait around the face, and the face in it."""
    left, top = max(0.0, face.x - 0.3 * face.width), max(0.0, face.y - 0.4 * face.height)
    right = min(float(image.width), face.x + 1.3 * face.width)
    bottom = min(float(image.height), face.y + 1.5 * face.height)
    box = tuple(round(edge) for edge in (left, top, right, bottom))
    return image.crop((box[0], box[1], box[2], box[3])), face.moved(1.0, -box[0], -box[1])


def _paste(
    canvas: Image.Image, image: Image.Image, face: Face, height: float, middle: tuple[float, float]
) -> None:
    """The portrait onto the canvas, scaled and shifted so that its face lies there."""
    scale = height / face.height
    size = (round(image.width * scale), round(image.height * scale))
    x, y = face.centre
    place = (round(middle[0] - x * scale), round(middle[1] - y * scale))
    canvas.paste(image.resize(size, Image.Resampling.LANCZOS), place)


def _background(size: tuple[int, int]) -> Image.Image:
    """A wall that is a little lighter on one side."""
    row = np.linspace(90, 160, size[0], dtype=np.float32)
    wall = np.broadcast_to(row[None, :, None], (size[1], size[0], 3))
    return Image.fromarray(wall.astype(np.uint8))


def _noisy(image: Image.Image) -> Pixels:
    generator = np.random.default_rng(5)
    pixels = np.asarray(image, dtype=np.float32)
    noise = generator.standard_normal(pixels.shape, dtype=np.float32)
    return np.clip(pixels + _NOISE * noise, 0, 255).astype(np.uint8)


def _jpeg(picture: Image.Image | Pixels) -> bytes:
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()
