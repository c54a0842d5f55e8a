"""The pixels of an opened image, upright and in RGB, with few copies on the way."""

from __future__ import annotations

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageOps

from model.types import Image

_SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I;16N", "I")

# Pillow hands out pixels through two copies; in strips, neither is of the whole picture.
_STRIP_PX = 1 << 20


def pillow_pixels(opened: PillowImage.Image) -> Image:
    """All pixels, by Pillow's decoder. Closes `opened`; raises what a decoder raises.

    Returns:
        RGB. Shape (H, W, 3), uint8.
    """
    opened.load()
    # In place: a copy of a large picture is a hundred megabytes.
    ImageOps.exif_transpose(opened, in_place=True)
    pixels = _array(_to_rgb(opened))
    opened.close()
    return pixels


def _to_rgb(image: PillowImage.Image) -> PillowImage.Image:
    if image.mode == "RGB":
        return image
    if image.mode in _SIXTEEN_BIT:
        # Pillow would clip 16-bit grey at 255 and make it all white.
        return PillowImage.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        white = PillowImage.new("RGBA", image.size, "white")
        return PillowImage.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


def _array(image: PillowImage.Image) -> Image:
    width, height = image.size
    if width * height <= _STRIP_PX:
        return np.array(image, dtype=np.uint8)
    pixels = np.empty((height, width, 3), dtype=np.uint8)
    rows = max(1, _STRIP_PX // width)
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        pixels[top:bottom] = np.asarray(image.crop((0, top, width, bottom)))
    return pixels
