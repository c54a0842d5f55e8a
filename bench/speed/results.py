"""All that a run found, before it is made into a page."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from bench.speed.samples import Cell, Sample, Summary, summary


@dataclass(frozen=True)
class Start:
    """One start of the service with warm caches: seconds to ready, resident MB then."""

    ready_s: float
    resident_mb: float


@dataclass(frozen=True)
class Memory:
    """Resident MB of one service by the number of requests it has answered."""

    profile: str
    mb_after: dict[int, float]


@dataclass
class Results:
    """What was measured.

    Attributes:
        samples: A sample a round, of each cell.
        starts: A start a round, by the profile's name.
        footprints: Start and memory of each subject, after the rounds.
        failures: Why a subject was not measured.
        versions: Of what was measured.
    """

    samples: dict[Cell, list[Sample]] = field(default_factory=dict)
    starts: dict[str, list[Start]] = field(default_factory=dict)
    footprints: dict[str, Start] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    memory: Memory | None = None

    @cached_property
    def summaries(self) -> dict[Cell, Summary]:
        """Of each cell that was measured; read when no more samples come."""
        return {cell: summary(rounds) for cell, rounds in self.samples.items() if rounds}

    def p50(self, *cells: Cell) -> float | None:
        """The least median of some cells, in ms; None unless one was measured."""
        return min((self.summaries[c].p50 for c in cells if c in self.summaries), default=None)

    def rate(self, *cells: Cell) -> float | None:
        """The most requests a second of some cells; None unless one was measured."""
        rates = [self.summaries[c].requests_per_s for c in cells if c in self.summaries]
        return max(rates, default=None)
