"""What was measured, and its medians over the rounds."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Cell:
    """One thing to measure: who verifies what.

    Attributes:
        subject: Name of who does it.
        picture: Name of the picture.
        clients: Clients of a service at once; 1 in process.
        references: Of the identity.
    """

    subject: str
    picture: str
    clients: int = 1
    references: int = 1


@dataclass(frozen=True)
class Sample:
    """One round's measurement of a cell.

    Attributes:
        ms: Of each verification.
        requests_per_s: Of all clients together.
        cpu_ms: CPU time of a request where it is worked on, all threads.
        client_cpu_ms: The same of the load generator; None in process.
        stages: Milliseconds by stage, the median; empty where not known.
    """

    ms: tuple[float, ...]
    requests_per_s: float
    cpu_ms: float
    client_cpu_ms: float | None = None
    stages: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Summary:
    """Medians over the rounds of each round's own figures; see `Sample`."""

    p50: float
    p95: float
    p99: float
    requests_per_s: float
    cpu_ms: float
    client_cpu_ms: float | None
    stages: dict[str, float]


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share of the values does not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def stage_medians(stages: Sequence[dict[str, float]]) -> dict[str, float]:
    """The median of each stage, in the order of the first."""
    known = [one for one in stages if one]
    return {
        name: statistics.median(one[name] for one in known if name in one)
        for name in (known[0] if known else {})
    }


def summary(rounds: Sequence[Sample]) -> Summary:
    """One cell's rounds in one; at least one."""

    def over(share: float) -> float:
        return statistics.median(quantile(sample.ms, share) for sample in rounds)

    clients = [sample.client_cpu_ms for sample in rounds if sample.client_cpu_ms is not None]
    return Summary(
        p50=statistics.median(statistics.median(sample.ms) for sample in rounds),
        p95=over(0.95),
        p99=over(0.99),
        requests_per_s=statistics.median(sample.requests_per_s for sample in rounds),
        cpu_ms=statistics.median(sample.cpu_ms for sample in rounds),
        client_cpu_ms=statistics.median(clients) if clients else None,
        stages=stage_medians([sample.stages for sample in rounds]),
    )
