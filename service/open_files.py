"""How many files the process may have open: each connection is one."""

from __future__ import annotations

import resource
from contextlib import suppress
from typing import Final

_ENOUGH: Final = 65_536


def allow_many_connections() -> None:
    """Raises the soft limit, which often is 1,024, as far as the system lets anyone.

    With all of them taken by connections that say nothing, nobody would be answered
    until the first of them is closed.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _ENOUGH if hard == resource.RLIM_INFINITY else min(_ENOUGH, hard)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    # Some systems have a lower limit of their own; then it stays as it was.
    with suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
