"""The C library's heap: what was freed can be given back to the system."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any


def give_back_freed() -> None:
    """Compiling a network, or many pictures at once, takes more than it keeps.

    glibc would hold on to it.
    """
    trim = libc("malloc_trim")
    if trim:
        trim(0)


def libc(name: str) -> Callable[..., Any] | None:
    """A function of glibc; None with another C library."""
    try:
        found: Callable[..., Any] = getattr(ctypes.CDLL(None), name)
        return found
    except (AttributeError, OSError):
        return None
