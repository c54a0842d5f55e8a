"""What the core asks about the models behind all that is stored.

`service.storage` implements it; only `service.app` and the commands know that.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

_LEAST_S: Final = 2.0
_SHARE: Final = 100
"""Counting takes at most a hundredth of the time, however large the gallery is."""


class Census(Protocol):
    """By which models the references of all collections are, by their fingerprints."""

    def counts(self) -> dict[str, int]:
        """References by fingerprint."""
        ...

    def has(self, fingerprint: str) -> bool:
        """Whether there is a reference by this model."""
        ...

    def other_than(self, fingerprint: str) -> str | None:
        """A model by which there is a reference, other than this one; None if there is none."""
        ...


class Counting(Protocol):
    """What can be counted of all collections."""

    def counts(self) -> dict[str, int]:
        """References by fingerprint."""
        ...

    def identities(self) -> int: ...


@dataclass(frozen=True)
class Size:
    """Attributes: references: By fingerprint."""

    identities: int
    references: Mapping[str, int]


class GallerySize:
    """How much is enrolled, counted now and then; any thread may use it.

    What it says is up to two seconds old, or a hundred times as old as counting takes.

    Args:
        clock: Seconds that never go back.
    """

    def __init__(self, census: Counting, clock: Callable[[], float] = time.monotonic) -> None:
        self._census = census
        self._clock = clock
        self._lock = threading.Lock()
        self._size: Size | None = None
        self._good_until = 0.0

    def read(self) -> Size:
        """Raises as the census does."""
        with self._lock:
            begun = self._clock()
            if self._size is None or begun >= self._good_until:
                self._size = Size(self._census.identities(), self._census.counts())
                ended = self._clock()
                self._good_until = ended + max(_LEAST_S, _SHARE * (ended - begun))
            return self._size
