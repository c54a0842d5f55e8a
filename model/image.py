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

import pillow_heif
from PIL import ExifTags, UnidentifiedImageError
from PIL import Image as PillowImage

from model.errors import SemblanceError
from model.jpeg import DENOMINATORS, frame_size, jpeg_pixels, turned
from model.pixels import pillow_pixels
from model.types import Image

FORMATS = ("JPEG", "PNG", "WEBP", "HEIF", "AVIF", "GIF", "BMP")
"""What is read. A phone's MPO, a JPEG with further pictures behind it, counts as JPEG."""

_JPEG = ("JPEG", "MPO")

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


@dataclass(frozen=True)
class View:
    """A picture's pixels, or fewer.

    Attributes:
        image: Upright RGB. Shape (ceil(H / denominator), ceil(W / denominator), 3), uint8.
        denominator: What the sides of the picture are divided by.
    """

    image: Image
    denominator: int


class Picture:
    """An image whose header was judged; pixels are decoded when, and as large as, needed.

    Decoded views are kept, and one that is large enough is given again. Not for
    several threads at once.

    Args:
        data: An encoded image, whole.
        limits: Checked on the length and on the header, before decoding.

    Raises:
        UndecodableImage, UnsupportedImageType, ImageTooLarge, TooManyPixels,
        ImageTooSmall
    """

    def __init__(self, data: bytes, limits: Limits) -> None:
        if not data:
            raise UndecodableImage("the image is empty")
        if len(data) > limits.max_image_bytes:
            raise ImageTooLarge(
                f"the image has {len(data)} bytes; at most {limits.max_image_bytes} are accepted"
            )
        self._data = data
        self._opened = _open(data)
        _check_size(self._opened.size, limits)
        self._stored_size = self._opened.size[::-1]
        self._is_jpeg = self._opened.format in _JPEG and frame_size(data) == self._stored_size
        self._views: dict[int, View] = {}

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the upright picture in full.

        Raises:
            UndecodableImage: If it is broken, and is of a type that must be decoded for this.
        """
        if 1 in self._views or not self._is_jpeg:
            return self.whole.shape[:2]
        return self._stored_size[::-1] if self._orientation() >= 5 else self._stored_size

    @property
    def whole(self) -> Image:
        """All pixels. RGB, shape (H, W, 3), uint8."""
        return self.view(1).image

    def view(self, most: float) -> View:
        """The smallest view whose denominator is at most `most`; the whole if there is none.

        Only a JPEG has views smaller than itself.

        Raises:
            UndecodableImage: If the image is broken or cut off.
        """
        allowed = [d for d in DENOMINATORS if d == 1 or (self._is_jpeg and d <= most)]
        for denominator in allowed:
            if denominator in self._views:
                return self._views[denominator]
        view = self._decoded(allowed[0])
        self._views[view.denominator] = view
        return view

    def _decoded(self, denominator: int) -> View:
        try:
            if self._is_jpeg:
                pixels = jpeg_pixels(self._data, self._stored_size, denominator)
                if pixels is not None:
                    return View(turned(pixels, self._orientation()), denominator)
            return View(pillow_pixels(self._opened), 1)
        except Exception as error:  # a decoder met with broken data raises what it likes
            raise UndecodableImage("the image is broken or cut off") from error

    def _orientation(self) -> int:
        """EXIF's, 1 .. 8; 1 is upright, and what a JPEG with broken EXIF is taken for."""
        try:
            found = self._opened.getexif().get(ExifTags.Base.Orientation)
        except Exception:  # as in `_decoded`; the pixels may well be sound
            return 1
        return found if isinstance(found, int) and 1 <= found <= 8 else 1


def decode(data: bytes, limits: Limits) -> Image:
    """The picture in `data` in full, turned upright by its EXIF orientation.

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
    return Picture(data, limits).whole


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
