"""The memory of the process, once everything is loaded that stays.

Python's collector walks all objects that live for long, and there are 130,000 of
them after the start: 70 ms on an idle machine, in the middle of some request and
with every thread waiting. Those that are there at the start are there at the
end, so they are taken out of its sight.
"""

from __future__ import annotations

import gc
from typing import Final

from model.heap import give_back_freed, libc

_M_ARENA_MAX: Final = -8
_ARENAS: Final = 2
"""Heaps of glibc. It would make eight for each core, and what a thread frees in one
serves no other thread."""


def begin_start() -> None:
    """Leaves out the collections during the start: nearly all that is made then stays.

    To be called before there are threads.
    """
    gc.disable()
    bound = libc("mallopt")
    if bound:
        bound(_M_ARENA_MAX, _ARENAS)


def end_start() -> None:
    """Collects once, lets what is left be, and gives freed memory back to the system."""
    gc.collect()
    gc.freeze()
    gc.enable()
    give_back_freed()
