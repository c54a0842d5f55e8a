"""Pictures for tests, made of real faces: encoded, mirrored, put together."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image as PillowImage

from model import types
from model.image import Limits, decode


def rgb(data: bytes) -> types.Image:
    """As the service reads it."""
    return decode(data, Limits())


def encoded(
    pixels: types.AnyArray | PillowImage.Image, kind: str = "PNG", **options: object
) -> bytes:
    """The pixels as a file of Pillow's format `kind`."""
    picture = pixels if isinstance(pixels, PillowImage.Image) else PillowImage.fromarray(pixels)
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def side_by_side(*pictures: types.Image, height: int = 480) -> types.Image:
    """Several pictures in one, scaled to one height."""
    scaled = [
        np.asarray(
            PillowImage.fromarray(picture).resize(
                (round(picture.shape[1] * height / picture.shape[0]), height)
            )
        )
        for picture in pictures
    ]
    return np.concatenate(scaled, axis=1)


def without_face(height: int = 240, width: int = 320) -> types.Image:
    """A smooth gradient with some noise; a picture, but of nobody."""
    generator = np.random.default_rng(5)
    slope = np.linspace(40, 200, width)[None, :, None] * np.ones((height, 1, 3))
    return np.clip(slope + generator.normal(0, 4, slope.shape), 0, 255).astype(np.uint8)


def with_orientation(upright: types.Image, orientation: int) -> PillowImage.Image:
    """The pixels as a camera stores them that was held in another way.

    A reader that follows the EXIF orientation gets `upright` back.
    """
    undo = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }
    return PillowImage.fromarray(np.ascontiguousarray(undo[orientation](upright)))


def exif(orientation: int) -> PillowImage.Exif:
    tags = PillowImage.Exif()
    tags[0x0112] = orientation
    return tags


def png_chunk(kind: bytes, content: bytes) -> bytes:
    checked = kind + content
    return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))


def png_by_hand(
    width: int, height: int, *, bits: int, colour: int, rows: bytes, before: bytes = b""
) -> bytes:
    """A PNG from its parts, whatever the header claims.

    Args:
        colour: PNG's colour type: 0 grey, 2 RGB.
        rows: The compressed rows.
        before: Whole chunks to put between header and rows.
    """
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", header)
        + before
        + png_chunk(b"IDAT", rows)
        + png_chunk(b"IEND", b"")
    )


def huge_one_bit_png(side: int = 20_000) -> bytes:
    """A black one-bit PNG of `side` squared: tens of kilobytes that claim 400 megapixels."""
    row = bytes(1 + side // 8)
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    return png_by_hand(side, side, bits=1, colour=0, rows=packed)
