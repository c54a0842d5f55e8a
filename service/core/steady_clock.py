"""Whether the time of day can be relied on for what cannot be undone.

A clock that is set forward by a year makes everybody's time be over. So the time of day
is held against a clock that nobody sets; after a jump it counts again when it has run
evenly for `REST_S`, in which an operator can put it right.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

JUMP_S: Final = 300.0
"""More than clocks drift, or are corrected by, between two looks."""

REST_S: Final = 86_400.0


def _ticks() -> float:
    """Seconds since the system's start; goes on while it sleeps, where it can tell."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


class SteadyClock:
    """To be looked at now and then, by one thread at a time.

    Args:
        now: The time of day, in seconds.
        ticks: Seconds that nobody sets.
    """

    def __init__(
        self, now: Callable[[], float] = time.time, ticks: Callable[[], float] = _ticks
    ) -> None:
        self._now, self._ticks = now, ticks
        self._offset = now() - ticks()
        self._jumped_at: float | None = None

    def jump_s(self) -> float:
        """By how much it was set since the last look, forward or back; 0 if it was not."""
        offset = self._now() - self._ticks()
        jump, self._offset = offset - self._offset, offset
        if abs(jump) < JUMP_S:
            return 0.0
        self._jumped_at = self._ticks()
        return jump

    def is_steady(self) -> bool:
        """Whether it was not set within the last `REST_S`, as far as was looked."""
        return self._jumped_at is None or self._ticks() - self._jumped_at >= REST_S
