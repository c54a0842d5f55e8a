"""A file that is there whole or not at all, and is put over no other."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A new file to write, mode 0600; at the end it is on the disk under its name.

    Until then it is `.NAME.part` beside it, which goes at an error. Who is killed leaves
    it behind; the next one of the same name begins it anew.

    Raises:
        FileExistsError: If there is a file of that name.
        BlockingIOError: If another process is just writing it.
        OSError: If it cannot be written.
    """
    if os.path.lexists(path):
        raise FileExistsError(f"'{path}' is there already, and is not put over")
    part = path.with_name(f".{path.name}.part")
    handle = os.open(part, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever had it until now may have given it its name, and with that to us.
            ours = os.path.samestat(os.fstat(file.fileno()), os.lstat(part))
        except (BlockingIOError, FileNotFoundError):
            ours = False
        if not ours:
            raise BlockingIOError(f"another process is writing '{path}'")
        try:
            # Of one that was killed.
            os.fchmod(file.fileno(), 0o600)
            file.truncate(0)
            yield file
            file.flush()
            os.fsync(file.fileno())
            _put(part, path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise


def _put(part: Path, path: Path) -> None:
    try:
        # Unlike a renaming, puts nothing over what somebody else has made meanwhile.
        os.link(part, path)
    except FileExistsError:
        raise FileExistsError(f"'{path}' is there already, and is not put over") from None
    except OSError:
        # File systems of other kinds have no links.
        os.rename(part, path)
    else:
        part.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
