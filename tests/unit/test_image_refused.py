"""What is refused, why, how soon, and at what cost."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zlib
from contextlib import suppress
from functools import cache

import numpy as np
import psutil
import pytest
from PIL import Image as PillowImage

from model.image import (
    ImageError,
    ImageTooLarge,
    ImageTooSmall,
    Limits,
    TooManyPixels,
    UndecodableImage,
    UnsupportedImageType,
    decode,
)
from tests.faces import Faces
from tests.pictures import encoded, huge_one_bit_png, png_by_hand, png_chunk

LIMITS = Limits()
NOISE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
MEBIBYTE = 1 << 20


def cost_of_refusing(data: bytes, kind: type[ImageError]) -> tuple[float, int, int]:
    """Seconds, and bytes that Python and the whole process grew by at most."""
    with pytest.raises(ImageError):
        decode(data, LIMITS)  # once before: libraries load on first use
    process = psutil.Process()
    before = process.memory_info().rss
    begun = time.perf_counter()
    with pytest.raises(kind):
        decode(data, LIMITS)
    seconds = time.perf_counter() - begun
    grown = process.memory_info().rss - before
    tracemalloc.start()
    try:
        with pytest.raises(kind):
            decode(data, LIMITS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return seconds, peak, grown


def test_nothing() -> None:
    with pytest.raises(UndecodableImage, match="empty"):
        decode(b"", LIMITS)


@pytest.mark.parametrize(
    "data",
    [
        b"This is a letter, not a picture.\n" * 100,
        b"\x00" * 1000,
        b"\xff\xd8\xff",
        b"<svg/>",
        b"MZ",
    ],
    ids=["text", "zeros", "start of a JPEG", "SVG", "program"],
)
def test_no_picture(data: bytes) -> None:
    with pytest.raises(UndecodableImage):
        decode(data, LIMITS)


@pytest.mark.parametrize("name", ["obama.jpg", "astronaut.png"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_a_real_picture_cut_off(faces: Faces, name: str, share: float) -> None:
    data = faces.read(name)
    with pytest.raises(UndecodableImage, match="broken"):
        decode(data[: int(len(data) * share)], LIMITS)


@pytest.mark.parametrize(
    ("kind", "word"), [("TIFF", "TIFF"), ("PDF", "PDF"), ("JPEG2000", "JPEG 2000"), ("ICO", "ICO")]
)
def test_pictures_of_other_types_are_named(kind: str, word: str) -> None:
    with pytest.raises(UnsupportedImageType, match=f"{word} is not read; send JPEG, PNG, WEBP"):
        decode(encoded(NOISE, kind), LIMITS)


def test_a_big_endian_tiff_and_a_layered_file() -> None:
    for data in (b"MM\x00*" + b"\x00" * 64, b"8BPS\x00\x01" + b"\x00" * 64):
        with pytest.raises(UnsupportedImageType):
            decode(data, LIMITS)


def test_too_many_bytes_are_refused_unread() -> None:
    limits = Limits(max_image_bytes=1000)
    with pytest.raises(ImageTooLarge, match="1001 bytes; at most 1000"):
        decode(b"x" * 1001, limits)
    with pytest.raises(UndecodableImage):
        decode(b"x" * 1000, limits)


def test_one_pixel() -> None:
    with pytest.raises(ImageTooSmall, match="1 x 1 pixels; each side needs at least 32"):
        decode(encoded(NOISE[:1, :1]), LIMITS)


def test_limits_are_met_exactly() -> None:
    data = encoded(NOISE)
    assert decode(data, Limits(max_image_pixels=4096, min_side_px=64)).shape == (64, 64, 3)
    with pytest.raises(TooManyPixels, match="64 x 64 pixels; at most 4095"):
        decode(data, Limits(max_image_pixels=4095))
    with pytest.raises(ImageTooSmall):
        decode(data, Limits(min_side_px=65))


def test_a_small_file_of_400_megapixels_is_refused_from_its_header() -> None:
    data = huge_one_bit_png()
    assert 40_000 < len(data) < 60_000
    seconds, peak, grown = cost_of_refusing(data, TooManyPixels)
    assert seconds < 0.05
    assert peak < MEBIBYTE
    assert grown < 4 * MEBIBYTE


def test_a_webp_that_claims_the_largest_canvas_is_refused_from_its_header() -> None:
    second = PillowImage.fromarray(255 - NOISE)
    small = encoded(NOISE, "WEBP", save_all=True, append_images=[second])
    at = small.index(b"VP8X") + 12
    side = struct.pack("<I", 16383)[:3]
    seconds, peak, grown = cost_of_refusing(small[:at] + side * 2 + small[at + 6 :], TooManyPixels)
    assert seconds < 0.05
    assert peak < MEBIBYTE
    assert grown < 16 * MEBIBYTE


@pytest.mark.parametrize("kind", ["BMP", "GIF"])
def test_a_header_that_claims_more_than_there_is(kind: str) -> None:
    data = bytearray(encoded(NOISE, kind))
    at, form = (18, "<ii") if kind == "BMP" else (6, "<HH")
    data[at : at + struct.calcsize(form)] = struct.pack(form, 30_000, 30_000)
    seconds, peak, _ = cost_of_refusing(bytes(data), TooManyPixels)
    assert seconds < 0.05
    assert peak < MEBIBYTE


@cache
def packed_zeros(mebibytes: int) -> bytes:
    packer = zlib.compressobj(9)
    block = b"\x00" * MEBIBYTE
    return b"".join(packer.compress(block) for _ in range(mebibytes)) + packer.flush()


@pytest.mark.parametrize(
    ("kind", "head"),
    [
        (b"iCCP", b"profile\x00\x00"),
        (b"zTXt", b"Comment\x00\x00"),
        (b"iTXt", b"k\x00\x01\x00\x00\x00"),
    ],
    ids=["colour profile", "text", "international text"],
)
def test_a_bomb_beside_the_pixels_is_refused_or_ignored_without_unpacking_it(
    kind: bytes, head: bytes
) -> None:
    rows = zlib.compress((b"\x00" + b"\x80" * 192) * 64)
    bomb = png_chunk(kind, head + packed_zeros(300))
    data = png_by_hand(64, 64, bits=8, colour=2, rows=rows, before=bomb)
    assert len(data) < MEBIBYTE
    before = psutil.Process().memory_info().rss
    tracemalloc.start()
    try:
        with suppress(UndecodableImage):
            assert decode(data, LIMITS).shape == (64, 64, 3)
        assert tracemalloc.get_traced_memory()[1] < 8 * MEBIBYTE
    finally:
        tracemalloc.stop()
    assert psutil.Process().memory_info().rss - before < 16 * MEBIBYTE


def test_rows_that_unpack_to_more_than_the_header_says_are_not_unpacked() -> None:
    data = png_by_hand(64, 64, bits=8, colour=2, rows=packed_zeros(300))
    before = psutil.Process().memory_info().rss
    image = decode(data, LIMITS)
    assert image.shape == (64, 64, 3)
    assert psutil.Process().memory_info().rss - before < 16 * MEBIBYTE


def test_no_message_holds_data_or_a_path() -> None:
    secret = b"SECRET-7f3a /home/somebody/picture.jpg"
    for data in (secret * 40, b"\xff\xd8\xff\xe0" + secret * 40, b"II*\x00" + secret):
        with pytest.raises(ImageError) as caught:
            decode(data, LIMITS)
        assert "SECRET" not in str(caught.value)
        assert "/" not in str(caught.value)


def test_pillow_may_not_open_what_is_not_listed() -> None:
    """Formats that call programs or read other files stay shut."""
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n"
    assert PillowImage.open(io.BytesIO(eps)).format == "EPS"
    with pytest.raises(UndecodableImage):
        decode(eps, LIMITS)
