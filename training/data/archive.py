"""Unpack an archive that nobody has vouched for.

A member is written below the target or the archive is refused; links, devices
and members outside are never skipped quietly. Sizes are counted while writing:
what a header says about a size is a claim. All is written into a staging folder
that takes its name at the end, so a refused archive leaves nothing behind.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from training.data.errors import DataError, saying_disk_full

_Member = tuple[str, Callable[[], IO[bytes]] | None]
_BLOCK = 1 << 20
_LONGEST_NAME = 255
# Pictures are compressed already. A small archive may hold a few flat bitmaps,
# so the ratio counts only once this much has been written.
_BOMB_RATIO = 100
_BOMB_FLOOR_BYTES = 64 << 20
_BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    gzip.BadGzipFile,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    NotImplementedError,  # a ZIP method that is not read
    RuntimeError,  # zipfile's word for a password
)


@dataclass(frozen=True)
class UnpackLimits:
    """What an archive may hold. Sizes in bytes after unpacking."""

    max_bytes: int = 10 << 30
    max_members: int = 500_000


def unpack(archive: Path, folder: Path, limits: UnpackLimits) -> None:
    """Writes every file of a tar (plain, gz, bz2, xz) or zip below `folder`.

    Args:
        archive: Its kind is told from the content, not from the name.
        folder: Made; must not be there yet. Its parent must.

    Raises:
        DataError: If the archive is refused or broken, or the disk is full;
            `folder` is then not there.
    """
    staging = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        with saying_disk_full("nothing was unpacked"):
            _write_all(archive, staging, limits)
        staging.chmod(0o755)
        staging.rename(folder)
    except _BROKEN as error:
        raise DataError(f"'{archive.name}' is broken, cut off or encrypted") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _write_all(archive: Path, staging: Path, limits: UnpackLimits) -> None:
    allowed = min(limits.max_bytes, max(_BOMB_FLOOR_BYTES, _BOMB_RATIO * archive.stat().st_size))
    written = 0
    # Closed also when a member is refused, and with it the archive's file.
    with closing(_members(archive)) as members:
        for count, (name, opened) in enumerate(members, 1):
            if count > limits.max_members:
                raise DataError(
                    f"'{archive.name}' holds more than {limits.max_members} members, the limit"
                )
            path = staging.joinpath(*_parts(archive, name))
            try:
                if opened is None:
                    path.mkdir(parents=True, exist_ok=True)
                    continue
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("xb") as target, opened() as content:
                    while block := content.read(_BLOCK):
                        written += len(block)
                        if written > allowed:
                            raise DataError(_too_much(archive, allowed, limits))
                        target.write(block)
            except (FileExistsError, NotADirectoryError) as error:
                raise DataError(f"'{archive.name}' holds {_shown(name)} more than once") from error


def _too_much(archive: Path, allowed: int, limits: UnpackLimits) -> str:
    if allowed == limits.max_bytes:
        return f"'{archive.name}' unpacks to more than {allowed} bytes, the limit"
    return (
        f"'{archive.name}' unpacks to more than {_BOMB_RATIO} times its own size, as pictures "
        "never do: refused as a decompression bomb"
    )


def _parts(archive: Path, name: str) -> list[str]:
    """The name's parts, none of which leads out of the folder."""
    # Archives made on Windows may hold backslashes.
    plain = name.replace("\\", "/")
    parts = [part for part in plain.split("/") if part not in ("", ".")]
    if plain.startswith("/") or ".." in parts:
        raise DataError(f"'{archive.name}' holds {_shown(name)}, which lies outside of the archive")
    if "\0" in name or any(len(os.fsencode(part)) > _LONGEST_NAME for part in parts):
        raise DataError(f"'{archive.name}' holds {_shown(name)}, which cannot be a file's name")
    return parts


def _members(archive: Path) -> Generator[_Member, None, None]:
    """Name of each member, and what opens it; None for a folder."""
    if zipfile.is_zipfile(archive):
        yield from _zip_members(archive)
        return
    with closing(_Opened(archive)) as opened:
        try:
            stream: Any = opened  # only the four methods are asked for
            packed = tarfile.open(fileobj=stream, mode="r:")  # noqa: SIM115 - closed below
        except tarfile.ReadError as error:
            raise DataError(f"expected a tar or zip archive, found '{archive.name}'") from error
        with packed:
            while (member := packed.next()) is not None:
                # tarfile keeps every header it has seen; a million of them add up.
                packed.members = []  # type: ignore[attr-defined]
                if member.isdir():
                    yield member.name, None
                elif member.isreg():
                    yield member.name, partial(_content, packed, member)
                else:
                    raise _special(archive, member.name, member.issym() or member.islnk())


def _zip_members(archive: Path) -> Generator[_Member, None, None]:
    with zipfile.ZipFile(archive) as packed:
        for member in packed.infolist():
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _special(archive, member.filename, kind == stat.S_IFLNK)
            yield member.filename, None if member.is_dir() else partial(packed.open, member)


def _content(packed: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    content = packed.extractfile(member)
    assert content is not None, "only asked of files"
    return content


def _special(archive: Path, name: str, link: bool) -> DataError:
    found = "a link" if link else "a device or other special file"
    return DataError(f"'{archive.name}' holds {_shown(name)}, {found}: only files are unpacked")


def _shown(name: str) -> str:
    """The name fit for one line of a terminal."""
    text = ascii(name)
    return text if len(text) <= 80 else text[:76] + "...'"


class _Opened:
    """A tar's bytes, uncompressed, as `tarfile` reads them.

    Refuses a single read that is larger than a header can honestly be: tarfile
    takes a long name or a PAX header into memory whole, whatever its size.
    """

    def __init__(self, archive: Path) -> None:
        self._name = archive.name
        with archive.open("rb") as file:
            magic = file.read(6)
        opener: Any = open
        if magic.startswith(b"\x1f\x8b"):
            opener = gzip.open
        elif magic.startswith(b"BZh"):
            opener = bz2.open
        elif magic.startswith(b"\xfd7zXZ\x00"):
            opener = lzma.open
        self._file: IO[bytes] = opener(archive, "rb")

    def read(self, size: int) -> bytes:
        if size > _BLOCK:
            raise DataError(f"'{self._name}' holds a header of {size} bytes, as no honest one does")
        return self._file.read(size)

    def seek(self, position: int) -> int:
        return self._file.seek(position)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
