"""A file of sealed frames: not one of them can be read, changed, swapped or left out.

    magic, length of the header (4 bytes), header in clear
    frame after frame   kind (1 byte), length (4 bytes), ciphertext with tag

AES-256-GCM under a key of this file alone. The nonce of a frame is its number, and with
it go the hash of the header and the frame's kind. The last frame is of a kind of its own:
a file that was cut does not have it. Numbers are whole, the highest byte first.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from model.errors import SemblanceError

MAGIC: Final = b"SEMBLBK\x01"
_LENGTH: Final = struct.Struct(">I")
_MOST_HEADER_BYTES: Final = 2**16
_MIDDLE, _LAST = b"m", b"e"
_NONCE_BYTES: Final = 12


class SealedFileError(SemblanceError):
    """A file is none of these, or not as it was written."""


class Frame(NamedTuple):
    """What a frame holds, and whether it is the last."""

    is_last: bool
    content: bytes


class FrameWriter:
    """Writes the header at once, then frames; the last one by `end`.

    Args:
        key: 32 bytes, never used for another file.
    """

    def __init__(self, file: BinaryIO, header: bytes, key: bytes) -> None:
        self._file = file
        self._cipher = AESGCM(key)
        self._number = 0
        start = MAGIC + _LENGTH.pack(len(header)) + header
        self._digest = hashlib.sha256(start).digest()
        file.write(start)

    def add(self, content: bytes) -> None:
        self._write(_MIDDLE, content)

    def end(self, content: bytes) -> None:
        self._write(_LAST, content)

    def _write(self, kind: bytes, content: bytes) -> None:
        sealed = self._cipher.encrypt(_nonce(self._number), content, self._digest + kind)
        self._number += 1
        self._file.write(kind + _LENGTH.pack(len(sealed)))
        self._file.write(sealed)


def read_header(file: BinaryIO) -> bytes:
    """The header, of which nothing is known to be genuine before a frame was opened.

    Raises:
        SealedFileError: If the file is of another kind, or of another version.
    """
    magic = file.read(len(MAGIC))
    if magic != MAGIC:
        other = magic[:-1] == MAGIC[:-1]
        raise SealedFileError(
            "it is a backup of a form that this version does not know"
            if other
            else "it is no backup of this service"
        )
    (length,) = _LENGTH.unpack(_exactly(file, _LENGTH.size))
    if length > _MOST_HEADER_BYTES:
        raise SealedFileError("its header was changed")
    return _exactly(file, length)


def frames(file: BinaryIO, header: bytes, key: bytes, file_bytes: int) -> Iterator[Frame]:
    """The frames behind the header; the last one is the last, or this raises.

    Args:
        file_bytes: Size of the whole file: so much is a frame's length believed.

    Raises:
        SealedFileError: If anything is not as it was written.
    """
    digest = hashlib.sha256(MAGIC + _LENGTH.pack(len(header)) + header).digest()
    cipher = AESGCM(key)
    number = 0
    while True:
        kind = _exactly(file, 1)
        (length,) = _LENGTH.unpack(_exactly(file, _LENGTH.size))
        sealed = _exactly(file, length) if length <= file_bytes else b""
        try:
            content = cipher.decrypt(_nonce(number), sealed, digest + kind)
        except (InvalidTag, ValueError) as error:
            raise SealedFileError(f"it was changed, at frame {number} or in its header") from error
        if kind == _LAST and file.read(1):
            raise SealedFileError("something was added behind its end")
        yield Frame(kind == _LAST, content)
        if kind == _LAST:
            return
        number += 1


def _exactly(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) != count:
        raise SealedFileError("it is cut off: its end is missing")
    return data


def _nonce(number: int) -> bytes:
    return number.to_bytes(_NONCE_BYTES, "big")
