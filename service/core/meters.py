"""What the service counts about itself, for whoever watches it.

    counter     add(...)        how often
    histogram   observe(...)    how often at most so much, and the sum of all

Labels are words of ours from small sets: routes, codes, stages, fingerprints of models.
No identity, key, collection or address is one. Should a set turn out larger than thought,
what comes last is counted as "other": a caller cannot make this grow.

All numbers are of this process and begin with it. `service.api.metrics` shows them.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

MOST_SERIES: Final = 1000
OTHER: Final = "other"

Labels = tuple[str, ...]

REQUEST_S: Final = (0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 5.0, 10.0)
STAGE_S: Final = (0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
BATCH: Final = (1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0, 16.0, 32.0)
SCORE: Final = (0.01, 0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995, 0.999, 0.9999)
"""Closer where thresholds lie: those for an FMR of 1e-3 to 1e-6 are 0.87 to 0.999."""


class Counter:
    """Counts by the values of its labels; any thread may use it."""

    def __init__(self, name: str, about: str, *labels: str) -> None:
        self.name, self.about, self.labels = name, about, labels
        self._lock = threading.Lock()
        self._counts: dict[Labels, int] = {}

    def start(self, *values: str) -> None:
        """Shows a count of 0: or the first one ever would not be seen to be an increase."""
        with self._lock:
            self._counts.setdefault(values, 0)

    def add(self, *values: str) -> None:
        with self._lock:
            key = _bounded(values, self._counts)
            self._counts[key] = self._counts.get(key, 0) + 1

    def read(self) -> dict[Labels, int]:
        with self._lock:
            return dict(self._counts)


class Histogram:
    """Values by the first bound that they are not above; any thread may use it."""

    def __init__(self, name: str, about: str, bounds: Sequence[float], *labels: str) -> None:
        self.name, self.about, self.bounds, self.labels = name, about, tuple(bounds), labels
        self._lock = threading.Lock()
        self._counts: dict[Labels, list[int]] = {}
        self._sums: dict[Labels, float] = {}

    def observe(self, value: float, *values: str) -> None:
        place = bisect_left(self.bounds, value)
        with self._lock:
            key = _bounded(values, self._counts)
            counts = self._counts.get(key)
            if counts is None:
                counts = self._counts[key] = [0] * (len(self.bounds) + 1)
            counts[place] += 1
            self._sums[key] = self._sums.get(key, 0.0) + value

    def read(self) -> dict[Labels, tuple[list[int], float]]:
        """Counts between the bounds, one more than there are bounds, and the sum."""
        with self._lock:
            return {key: (list(found), self._sums[key]) for key, found in self._counts.items()}


def _bounded(values: Labels, known: Mapping[Labels, object]) -> Labels:
    if values in known or len(known) < MOST_SERIES:
        return values
    return (OTHER,) * len(values)


class Meters:
    """All that is counted."""

    def __init__(self) -> None:
        self.requests = Counter(
            "semblance_requests", "Requests that were answered.", "route", "method", "status"
        )
        self.request_s = Histogram(
            "semblance_request_seconds",
            "From a request's headers to the end of its answer.",
            REQUEST_S,
            "route",
            "method",
        )
        self.problems = Counter("semblance_problems", "Answers that are a problem.", "code")
        self.stage_s = Histogram(
            "semblance_stage_seconds",
            "Time in a stage of a picture's way, of one picture or comparison.",
            STAGE_S,
            "stage",
        )
        self.batch_size = Histogram(
            "semblance_batch_size", "What the model was given at once, where it is batched.", BATCH
        )
        self.score = Histogram(
            "semblance_verification_score",
            "Best score of a verification's references.",
            SCORE,
            "model",
            "verdict",
        )
        self.images = Counter(
            "semblance_enrolled_images", "Images of enrolments, by what became of them.", "outcome"
        )
        self.objections = Counter(
            "semblance_quality_objections", "Why the gate refused an image.", "reason"
        )
        self.liveness = Counter(
            "semblance_liveness_sessions", "Sessions of liveness that have ended.", "outcome"
        )
        self.store_errors = Counter(
            "semblance_store_errors", "Statements that the database refused.", "kind"
        )

    @property
    def counters(self) -> tuple[Counter, ...]:
        return (
            *(self.requests, self.problems, self.images, self.objections),
            *(self.liveness, self.store_errors),
        )

    @property
    def histograms(self) -> tuple[Histogram, ...]:
        return self.request_s, self.stage_s, self.batch_size, self.score

    def stages(self, runs: Iterable[tuple[str, float, float]]) -> None:
        """Args: runs: Name, beginning and end in seconds; a stage may have run several times."""
        spent: dict[str, float] = {}
        for name, begun, ended in runs:
            spent[name] = spent.get(name, 0.0) + ended - begun
        for name, spent_s in spent.items():
            self.stage_s.observe(spent_s, name)
