"""What goes wrong with a user's data, each as one sentence."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from model.errors import SemblanceError


class DataError(SemblanceError):
    """A data set is not as expected; its text says what was expected and found."""


class DiskFull(DataError):
    """There is no room left for what should be written."""


@contextmanager
def saying_disk_full(advice: str) -> Iterator[None]:
    """Turns the system's ENOSPC into a DiskFull that ends with `advice`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"the disk is full; {advice}") from error
        raise
