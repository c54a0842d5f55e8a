"""Who is at work in a folder: one run alone, or several shards.

The locks are those of the system (flock) on files that stay open: they end with
the process, however it ends, so a file that a killed run left locks nobody out.
They hold on local file systems, and between machines on NFS and SMB as Linux
mounts them; where a file system has none, that is said.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from training.data.errors import DataError
from training.data.shard import Shard

PREFIX = "lock"
"""Names of lock files begin with this."""


class Lock:
    """That this run may work in `out`, until it is closed.

    A run on everything works alone; shards work at the same time as other shards.

    Raises:
        DataError: If another run is at work there, or the same shard.
    """

    def __init__(self, out: Path, shard: Shard | None) -> None:
        # As in `state`, which knows these names.
        self._folder = out / "state"
        busy = f"another prepare is at work in '{out.name}'"
        kind = fcntl.LOCK_EX if shard is None else fcntl.LOCK_SH
        with ExitStack() as opened:
            self._work = opened.enter_context(self._locked(PREFIX, kind | fcntl.LOCK_NB, busy))
            if shard is not None:
                busy = f"another prepare is at work on shard {shard} in '{out.name}'"
                name = f"{PREFIX}-{shard.stem}"
                opened.enter_context(self._locked(name, fcntl.LOCK_EX | fcntl.LOCK_NB, busy))
            self._opened = opened.pop_all()

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    @contextmanager
    def beginning(self, waiting: Callable[[], None]) -> Iterator[None]:
        """For what only one shard may do, such as unpack; the others wait here.

        Args:
            waiting: Called before it waits, to say so.
        """
        name = f"{PREFIX}-begin"
        try:
            file = self._locked(name, fcntl.LOCK_EX | fcntl.LOCK_NB, "")
        except DataError:
            waiting()
            file = self._locked(name, fcntl.LOCK_EX, "")
        with file:
            yield

    def alone(self) -> bool:
        """Whether nobody else is at work; if so, nobody can begin before this is closed."""
        try:
            fcntl.flock(self._work, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _locked(self, name: str, how: int, busy: str) -> IO[str]:
        path = self._folder / name
        while True:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                # For reading too: NFS asks for it where a lock is shared.
                file = path.open("a+", encoding="utf-8")
            except FileNotFoundError:
                # A run that was refused removed the folder just now.
                continue
            try:
                fcntl.flock(file, how)
                if _is_still(path, file):
                    return file
            except BlockingIOError:
                file.close()
                raise DataError(busy) from None
            except OSError as error:
                file.close()
                if error.errno in (errno.ENOTSUP, errno.ENOLCK, errno.ENOSYS):
                    raise DataError(
                        "the folder to write lies on a file system without locks (flock); "
                        "choose another, or give each machine a folder of its own"
                    ) from error
                raise
            file.close()


def _is_still(path: Path, file: IO[str]) -> bool:
    """Whether the file that was locked is the one that others find by its name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
