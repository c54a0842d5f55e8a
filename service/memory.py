"""The memory of the process, once everything is loaded that stays.

Python's collector walks all objects that live for long, and there are 130,000 of
them after the start: 70 ms on an idle machine, in the middle of some request and
with every thread waiting. Those that are there at the start are there at the
end, so they are taken out of its sight.
"""

from __future__ import annotations

import ctypes
import gc


def begin_start() -> None:
    """Leaves out the collections during the start: nearly all that is made then stays."""
    gc.disable()


def end_start() -> None:
    """Collects once, lets what is left be, and gives freed memory back to the system."""
    gc.collect()
    gc.freeze()
    gc.enable()
    _give_back()


def _give_back() -> None:
    """Loading a model takes twice the memory it keeps; glibc holds on to it unasked."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError):
        return  # another C library
    trim(0)
