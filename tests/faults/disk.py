"""A disk that is small: a file system in memory that only the service sees."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.running import ROOT, Around

_NAMESPACES = ("unshare", "--user", "--map-root-user", "--mount")
# PostgreSQL must be another user than root, which a namespace of users does not have.
_MOUNTS_ALONE = ("unshare", "--mount")
_AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
_MOUNT = 'mount -t tmpfs -o "size=$1" none "$0" && echo mounted && exec cat'
_BALLAST = "ballast"
_PIECE_BYTES = 1 << 16


@dataclass(frozen=True)
class SmallDisk:
    """Mounted over a folder, for whatever is started `around` it and for nobody else.

    Attributes:
        seen: The folder as it can be looked at from outside.
    """

    seen: Path
    around: Around

    def fill(self, room_bytes: int = 0) -> None:
        """Leaves room for so many bytes, whole pages of 4096, and no more."""
        self.make_room()
        path = self.seen / _BALLAST
        with path.open("wb", buffering=0) as file:
            piece = bytes(_PIECE_BYTES)
            try:
                while file.write(piece):
                    pass
            except OSError:  # full
                pass
            if room_bytes:
                file.truncate(file.tell() - room_bytes)

    def make_room(self) -> None:
        (self.seen / _BALLAST).unlink(missing_ok=True)

    def copied_to(self, folder: Path) -> Path:
        """All files, to be looked at by programs that are not `around` it."""
        return Path(shutil.copytree(self.seen, folder))


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[SmallDisk]:
    """Over an existing folder, whose files are copied into it.

    Skips the test where a user may mount nothing, not even for itself.
    """
    if not may_mount():
        pytest.skip("this system lets nobody mount a file system of its own")
    with _mounted(_NAMESPACES, folder, size_bytes) as (seen, pid):
        shutil.copytree(folder, seen, dirs_exist_ok=True)
        inside = ("nsenter", "--user", "--mount", "--preserve-credentials", f"--wd={ROOT}")
        yield SmallDisk(seen, Around((*inside, "-t", pid)))


@contextmanager
def small_disk_of_nobody(folder: Path, size_bytes: int) -> Iterator[SmallDisk]:
    """The same for a program that will not be root; `around` it is the user nobody."""
    if os.geteuid() != 0 or not may_mount():
        pytest.skip("only root may mount a file system for another user")
    with _mounted(_MOUNTS_ALONE, folder, size_bytes) as (seen, pid):
        shutil.copytree(folder, seen, dirs_exist_ok=True)
        seen.chmod(0o700)
        for path in (seen, *seen.rglob("*")):
            shutil.chown(path, 65534, 65534)
        yield SmallDisk(seen, Around(("nsenter", "--mount", "-t", pid, *_AS_NOBODY)))


@contextmanager
def _mounted(
    namespaces: tuple[str, ...], folder: Path, size_bytes: int
) -> Iterator[tuple[Path, str]]:
    """The folder as it is seen from outside, and the id of the process that holds it."""
    holder = subprocess.Popen(
        [*namespaces, "sh", "-c", _MOUNT, str(folder), str(size_bytes)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"mounted\n"
        yield Path(f"/proc/{holder.pid}/root{folder}"), str(holder.pid)
    finally:
        assert holder.stdin is not None
        holder.stdin.close()
        holder.wait(10)
        if holder.stdout is not None:
            holder.stdout.close()


@cache
def may_mount() -> bool:
    if shutil.which("unshare") is None or shutil.which("nsenter") is None:
        return False
    tried = [*_NAMESPACES, "mount", "-t", "tmpfs", "none", "/mnt"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0
