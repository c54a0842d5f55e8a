"""A sealed file is read as it was written, or not at all."""

from __future__ import annotations

import io
import struct
from itertools import pairwise

import pytest

from service.security.sealed_file import (
    MAGIC,
    Frame,
    FrameWriter,
    SealedFileError,
    frames,
    read_header,
)

HEADER = b'{"salt": "0011"}'
KEY = bytes(range(32))
CONTENTS = (b"first", b"", b"third " * 20, b"last")


def written(
    key: bytes = KEY, header: bytes = HEADER, contents: tuple[bytes, ...] = CONTENTS
) -> bytes:
    file = io.BytesIO()
    writer = FrameWriter(file, header, key)
    for content in contents[:-1]:
        writer.add(content)
    writer.end(contents[-1])
    return file.getvalue()


def read(data: bytes, key: bytes = KEY) -> list[Frame]:
    file = io.BytesIO(data)
    header = read_header(file)
    return list(frames(file, header, key, len(data)))


def cuts(data: bytes) -> list[int]:
    """Where each frame begins, and the end."""
    at = len(MAGIC) + 4 + len(HEADER)
    found = [at]
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at + 1)
        at += 5 + length
        found.append(at)
    return found


def test_what_was_written_is_read() -> None:
    data = written()
    assert [frame.content for frame in read(data)] == list(CONTENTS)
    assert [frame.is_last for frame in read(data)] == [False, False, False, True]
    assert read_header(io.BytesIO(data)) == HEADER
    assert not any(content in data for content in CONTENTS if content)


def test_a_changed_bit_anywhere_is_refused() -> None:
    data = written()
    for at in range(len(data)):
        for bit in (0, 3, 7):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            with pytest.raises(SealedFileError):
                read(bytes(changed))


def test_a_file_that_was_cut_anywhere_is_refused() -> None:
    data = written()
    for length in range(len(data)):
        with pytest.raises(SealedFileError):
            read(data[:length])


def test_something_behind_the_end_is_refused() -> None:
    data = written()
    last = data[cuts(data)[-2] :]
    for more in (b"\0", last, data):
        with pytest.raises(SealedFileError):
            read(data + more)


def test_frames_in_another_order_or_left_out_or_twice_are_refused() -> None:
    data = written()
    places = cuts(data)
    start, parts = data[: places[0]], [data[a:b] for a, b in pairwise(places)]
    assert len(parts) == len(CONTENTS)
    assert read(start + b"".join(parts))
    orders = ([1, 0, 2, 3], [0, 2, 1, 3], [0, 2, 3], [1, 2, 3], [0, 0, 1, 2, 3], [3], [0, 1, 3, 2])
    for order in orders:
        with pytest.raises(SealedFileError):
            read(start + b"".join(parts[at] for at in order))


def test_a_frame_of_another_file_is_refused() -> None:
    """Even under the same key, which no two files have."""
    data, other = written(), written(header=HEADER.replace(b"11", b"22"))
    places = cuts(data)
    mixed = data[: places[1]] + other[places[1] :]
    with pytest.raises(SealedFileError):
        read(mixed)
    with pytest.raises(SealedFileError):
        read(data, key=bytes(32))


@pytest.mark.parametrize("data", [b"", b"SQLite format 3\0", MAGIC[:-1] + b"\x02" + bytes(20)])
def test_a_file_of_another_kind_is_refused(data: bytes) -> None:
    with pytest.raises(SealedFileError):
        read(data)


def test_a_length_that_is_made_up_takes_no_memory() -> None:
    data = written()
    at = cuts(data)[0]
    huge = data[: at + 1] + struct.pack(">I", 2**32 - 1) + data[at + 5 :]
    with pytest.raises(SealedFileError):
        read(huge)
