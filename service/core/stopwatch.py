"""Milliseconds by stage, for the `timings_ms` of an answer, and for whoever watches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Self

Run = tuple[str, float, float]
"""Name of a stage, and when it began and ended, by `time.perf_counter`."""


class Stopwatch:
    """Adds up the time of named stages; a stage may run several times.

    Args:
        tell: Each is given all runs of stages at the end of a `with` over the watch, also
            where that ends with an error.
    """

    def __init__(self, *tell: Callable[[Sequence[Run]], None]) -> None:
        self._tell = tell
        self._start = time.perf_counter()
        self._runs: list[Run] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for tell in self._tell:
            tell(self._runs)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            self._runs.append((name, begun, time.perf_counter()))

    def read_ms(self) -> dict[str, float]:
        """The stages so far, and `total` since this watch was made."""
        total = (time.perf_counter() - self._start) * 1000
        spent: dict[str, float] = {}
        for name, begun, ended in self._runs:
            spent[name] = spent.get(name, 0.0) + (ended - begun) * 1000
        return {name: round(ms, 3) for name, ms in (spent | {"total": total}).items()}
