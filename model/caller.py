"""For whom a thread works, and how long they wait: so that what waits for the model can be dropped.

Set by whoever runs requests; a thread that nobody set it in works for one who waits for ever.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Caller:
    """Who waits for an answer.

    Attributes:
        patience_s: Longest wait for the model at a time.
        has_left: Nobody waits any more. Set from any thread.
    """

    patience_s: float = math.inf
    has_left: bool = False


_anybody = Caller()
_here = threading.local()


@contextmanager
def working_for(caller: Caller) -> Iterator[None]:
    """What the calling thread does within is done for `caller`."""
    before = current_caller()
    _here.caller = caller
    try:
        yield
    finally:
        _here.caller = before


def current_caller() -> Caller:
    """Of the calling thread."""
    found: Caller = getattr(_here, "caller", _anybody)
    return found
