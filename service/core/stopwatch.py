"""Milliseconds by stage, for the `timings_ms` of an answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Adds up the time of named stages; a stage may run several times."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._stages: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            spent = (time.perf_counter() - begun) * 1000
            self._stages[name] = self._stages.get(name, 0.0) + spent

    def read_ms(self) -> dict[str, float]:
        """The stages so far, and `total` since this watch was made."""
        total = (time.perf_counter() - self._start) * 1000
        return {name: round(ms, 3) for name, ms in (self._stages | {"total": total}).items()}
