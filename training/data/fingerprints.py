"""Tell the same picture again: by its pixels, and by how it looks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from model.types import Image

NEAR_BITS = 4
"""Pictures whose hashes differ in at most so many of 64 bits are near-duplicates."""

_SIDE = 32
_KEPT = 8


def content_hash(image: Image) -> str:
    """SHA-256 of the decoded picture: shape and pixels, not the file's bytes."""
    digest = hashlib.sha256(repr(image.shape).encode())
    digest.update(image.tobytes())
    return digest.hexdigest()


def perceptual_hash(image: Image) -> int:
    """64 bits that survive scaling, recompression and a change of brightness.

        bit[k] = coefficient[k] > median(coefficients)

    over the lowest 8 x 8 coefficients of the cosine transform of the picture in
    grey, 32 x 32. It says that two pictures look alike, not that two people do.

    Args:
        image: RGB. Shape (H, W, 3), uint8.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    low = cv2.dct(small.astype(np.float32))[:_KEPT, :_KEPT].ravel()
    # The first coefficient is the mean brightness, and would pull the median.
    bits = low > np.median(low[1:])
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def near_pairs(hashes: list[int]) -> Iterator[tuple[int, int, int]]:
    """(first, later, differing bits) for each pair of at most NEAR_BITS."""
    values: NDArray[np.uint64] = np.array(hashes, dtype=np.uint64)
    for row in range(len(values) - 1):
        bits = np.bitwise_count(values[row + 1 :] ^ values[row])
        for other in np.flatnonzero(bits <= NEAR_BITS):
            yield row, row + 1 + int(other), int(bits[other])
