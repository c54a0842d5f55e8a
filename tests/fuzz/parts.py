"""An image file as its parts, and whole again with right lengths and checksums.

    JPEG   segments, and the coded data behind each scan's header
    PNG    chunks, each with a checksum
    WebP   chunks of RIFF
    HEIF, AVIF   boxes, some with boxes inside

A change inside one part then reaches the code that reads it, and is not turned
down for a length or a checksum. What does not look as expected ends in a last
part without a name.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

_PNG = b"\x89PNG\r\n\x1a\n"
_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7]")
# Boxes that hold boxes, and how many bytes lie before the first of them.
_NESTED = {b"meta": 4, b"iprp": 0, b"ipco": 0, b"moov": 0, b"iref": 4, b"dinf": 0, b"grpl": 0}


@dataclass
class Part:
    """A named piece of a file; `inner` are parts behind its content.

    A part without a name stands in the file as it is.
    """

    name: bytes
    content: bytes
    inner: list[Part] = field(default_factory=list)


@dataclass(frozen=True)
class Layout:
    """How a format is taken apart and put together."""

    split: Callable[[bytes], list[Part]]
    join: Callable[[list[Part]], bytes]


def layout_of(data: bytes) -> Layout | None:
    """By the first bytes; None for formats without parts (BMP, and GIF's bytes)."""
    if data.startswith(b"\xff\xd8"):
        return Layout(_split_jpeg, _join_jpeg)
    if data.startswith(_PNG):
        return Layout(_split_png, _join_png)
    if data[:4] == b"RIFF":
        return Layout(_split_riff, _join_riff)
    if data[4:8] == b"ftyp":
        return Layout(_split_boxes, _join_boxes)
    return None


def _split_jpeg(data: bytes) -> list[Part]:
    parts, at = [Part(b"", data[:2])], 2
    while data[at : at + 1] == b"\xff" and at + 4 <= len(data):
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4])
        parts.append(Part(data[at : at + 2], data[at + 4 : end]))
        if data[at + 1] == 0xDA:
            found = _SCAN_END.search(data, end)
            behind = found.start() if found else len(data)
            parts.append(Part(b"", data[end:behind]))
            end = behind
        at = max(end, at + 4)
        if data[at : at + 2] == b"\xff\xd9":
            break
    return [*parts, Part(b"", data[at:])]


def _join_jpeg(parts: list[Part]) -> bytes:
    return b"".join(
        part.name + _uint(len(part.content) + 2, 2) + part.content if part.name else part.content
        for part in parts
    )


def _split_png(data: bytes) -> list[Part]:
    parts, at = [], len(_PNG)
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4])
        parts.append(Part(data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return [*parts, Part(b"", data[at:])]


def _join_png(parts: list[Part]) -> bytes:
    return _PNG + b"".join(
        _uint(len(part.content), 4)
        + part.name
        + part.content
        + _uint(zlib.crc32(part.name + part.content), 4)
        if part.name
        else part.content
        for part in parts
    )


def _split_riff(data: bytes) -> list[Part]:
    parts, at = [Part(b"", data[8:12])], 12
    while at + 8 <= len(data):
        length = int.from_bytes(data[at + 4 : at + 8], "little")
        parts.append(Part(data[at : at + 4], data[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    return [*parts, Part(b"", data[at:])]


def _join_riff(parts: list[Part]) -> bytes:
    body = b"".join(
        part.name
        + len(part.content).to_bytes(4, "little")
        + part.content
        + bytes(len(part.content) % 2)
        if part.name
        else part.content
        for part in parts
    )
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _split_boxes(data: bytes) -> list[Part]:
    parts, at = [], 0
    while at + 8 <= len(data):
        length, name = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        if not 8 <= length <= len(data) - at:
            break
        content = data[at + 8 : at + length]
        if name in _NESTED:
            own = _NESTED[name]
            parts.append(Part(name, content[:own], _split_boxes(content[own:])))
        else:
            parts.append(Part(name, content))
        at += length
    return [*parts, Part(b"", data[at:])] if at < len(data) else parts


def _join_boxes(parts: list[Part]) -> bytes:
    joined = []
    for part in parts:
        content = part.content + _join_boxes(part.inner)
        joined.append(_uint(len(content) + 8, 4) + part.name + content if part.name else content)
    return b"".join(joined)


def _uint(value: int, size: int) -> bytes:
    """Big-endian; cut to the size, as a writer that overflows would."""
    return (value % (1 << 8 * size)).to_bytes(size)
