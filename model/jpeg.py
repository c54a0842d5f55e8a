"""The pixels of a JPEG, by OpenCV: those Pillow would give, sooner and in less memory.

Both call libjpeg-turbo; OpenCV has it write 3 bytes a pixel where they stay, Pillow
copies them twice and takes 4. It can decode at a half, a quarter or an eighth, too,
which costs little more than reading the file: each block of 8 x 8 pixels is made
from its lowest frequencies. What OpenCV is not sure to read as Pillow does is left
to Pillow: CMYK, broken headers, files that end too soon.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import cv2
import numpy as np

from model.types import Image

DENOMINATORS = (8, 4, 2, 1)
"""What the sides can be divided by, rounded up; the smallest picture first."""

# The flag of a reduced size is its bit for grey pictures; IMREAD_COLOR_RGB asks for colours.
_REDUCED = {
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    1: 0,
}

# EXIF's orientation as what turns the stored picture upright; 5 and 7 are mirrored, too.
_TURNS = {3: cv2.ROTATE_180, 6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}

_FRAMES = frozenset((0xC0, 0xC1, 0xC2))
_SCAN, _END = 0xDA, 0xD9
_SKIPPED = frozenset((_SCAN, 0xC4, 0xDB, 0xDD, 0xFE, *range(0xE0, 0xF0)))
_AFTER_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7]")
_MOST_SEGMENTS = 1000


def jpeg_pixels(data: bytes, size: tuple[int, int], denominator: int = 1) -> Image | None:
    """The picture as it is stored, not turned; None if Pillow should be asked.

    Args:
        data: A JPEG with a `frame_size`.
        size: That size, (height, width); no more is allocated.
        denominator: One of `DENOMINATORS`.

    Returns:
        RGB. Shape (ceil(H / denominator), ceil(W / denominator), 3), uint8.
    """
    flags = _REDUCED[denominator] | cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        found = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags)
    except cv2.error:
        return None
    expected = tuple(-(-side // denominator) for side in size)
    if found is None or found.shape != (*expected, 3):
        return None
    return np.asarray(found, dtype=np.uint8)


def frame_size(data: bytes) -> tuple[int, int] | None:
    """(height, width) of a grey or coloured JPEG that is sound from start to end; else None.

    Read here because two readers may take two sizes from one odd header, and the one
    that was judged must be the one that is allocated; and because OpenCV would give
    what it has of a picture whose end is damaged.
    """
    size = None
    for kind, at in _segments(data):
        if kind == _END:
            return size
        if kind in _FRAMES and size is None:
            frame = data[at + 4 : at + 10]
            # 8 bits a sample; one layer is grey, three are colours, four would be CMYK.
            if len(frame) < 6 or frame[0] != 8 or frame[5] not in (1, 3):
                return None
            size = int.from_bytes(frame[1:3]), int.from_bytes(frame[3:5])
        elif kind not in _SKIPPED:
            return None
    return None


def _segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Marker and place of each segment; ends where none is, where one would be due."""
    at = 2
    for _ in range(_MOST_SEGMENTS):
        if data[at : at + 1] != b"\xff" or len(data) < at + 2:
            return
        kind = data[at + 1]
        yield kind, at
        length = int.from_bytes(data[at + 2 : at + 4])
        if length < 2:
            return
        at += 2 + length
        if kind == _SCAN:
            found = _AFTER_SCAN.search(data, at)
            if found is None:
                return
            at = found.start()


def turned(image: Image, orientation: int) -> Image:
    """A stored picture upright, by the orientation that its EXIF tags name."""
    match orientation:
        case 2:
            image = cv2.flip(image, 1)
        case 4:
            image = cv2.flip(image, 0)
        case 5:
            image = cv2.transpose(image)
        case 7:
            image = cv2.rotate(cv2.transpose(image), cv2.ROTATE_180)
        case 3 | 6 | 8:
            image = cv2.rotate(image, _TURNS[orientation])
    return np.asarray(image, dtype=np.uint8)
