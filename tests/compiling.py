"""Networks that a process makes beside its work, each in a thread that ends by itself."""

from __future__ import annotations

import threading
import time

LIMIT_S = 60


def compiling() -> bool:
    return any(thread.name == "compile" for thread in threading.enumerate())


def until_nothing_compiles() -> None:
    ends = time.monotonic() + LIMIT_S
    while compiling():
        assert time.monotonic() < ends
        time.sleep(0.01)
