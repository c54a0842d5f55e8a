"""Bytes to an upright RGB image, or a clear reason why not.

The header is read and judged before a pixel is allocated: a small file can
claim a size that no machine can hold. The type is told from the content, never
from a name. Of an animation the first frame is taken.

    ImageError
    ├── UndecodableImage        empty, not an image, or broken
    ├── UnsupportedImageType    an image, but of a type that is not read
    ├── ImageTooLarge           more bytes than allowed
    ├── TooManyPixels           more pixels than allowed
    └── ImageTooSmall           no room for a face
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import pillow_heif
from PIL import Image as PillowImage
from PIL import ImageOps, UnidentifiedImageError

from model import types
from model.errors import SemblanceError

FORMATS = ("JPEG", "PNG", "WEBP", "HEIF", "AVIF", "GIF", "BMP")
"""What is read. A phone's MPO, a JPEG with further pictures behind it, counts as JPEG."""

# Pillow's own limit would warn or raise by its own rules; `Limits` is ours, and
# it is applied to the header of each image.
PillowImage.MAX_IMAGE_PIXELS = None
pillow_heif.register_heif_opener(thumbnails=False)

_UNREAD_TYPES = (
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"%PDF", "PDF"),
    (b"8BPS", "PSD"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\x00\x00\x01\x00", "ICO"),
    (b"gimp xcf", "XCF"),
)
_SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I;16N", "I")


class ImageError(SemblanceError):
    pass


class UndecodableImage(ImageError):
    pass


class UnsupportedImageType(ImageError):
    pass


class ImageTooLarge(ImageError):
    pass


class TooManyPixels(ImageError):
    pass


class ImageTooSmall(ImageError):
    pass


@dataclass(frozen=True)
class Limits:
    """What is accepted. Sizes in bytes, pixels, and pixels a side."""

    max_image_bytes: int = 20 * 1024 * 1024
    max_image_pixels: int = 50_000_000
    min_side_px: int = 32


def decode(data: bytes, limits: Limits) -> types.Image:
    """The picture in `data`, turned upright by its EXIF orientation.

    Transparent parts become white, 16-bit samples lose their lower byte, CMYK is
    converted.

    Args:
        data: An encoded image, whole.
        limits: Checked on the length and on the header, before decoding.

    Returns:
        RGB. Shape (H, W, 3), uint8, C-contiguous.

    Raises:
        UndecodableImage, UnsupportedImageType, ImageTooLarge, TooManyPixels,
        ImageTooSmall
    """
    if not data:
        raise UndecodableImage("the image is empty")
    if len(data) > limits.max_image_bytes:
        raise ImageTooLarge(
            f"the image has {len(data)} bytes; at most {limits.max_image_bytes} are accepted"
        )
    opened = _open(data)
    _check_size(opened.size, limits)
    try:
        opened.load()
        # In place: a copy of a large picture is a hundred megabytes.
        ImageOps.exif_transpose(opened, in_place=True)
        return np.array(_to_rgb(opened), dtype=np.uint8)
    except Exception as error:  # a decoder met with broken data raises what it likes
        raise UndecodableImage("the image is broken or cut off") from error


def _open(data: bytes) -> PillowImage.Image:
    try:
        return PillowImage.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        for magic, name in _UNREAD_TYPES:
            if data.startswith(magic):
                raise UnsupportedImageType(
                    f"{name} is not read; send {', '.join(FORMATS)}"
                ) from error
        raise UndecodableImage("the data is not an image of a known type") from error
    except Exception as error:  # as above
        raise UndecodableImage("the image's header is broken") from error


def _check_size(size: tuple[int, int], limits: Limits) -> None:
    width, height = size
    if width * height > limits.max_image_pixels:
        raise TooManyPixels(
            f"the image has {width} x {height} pixels; "
            f"at most {limits.max_image_pixels} in all are accepted"
        )
    if min(width, height) < limits.min_side_px:
        raise ImageTooSmall(
            f"the image has {width} x {height} pixels; "
            f"each side needs at least {limits.min_side_px}"
        )


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
