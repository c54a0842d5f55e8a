"""A time of fuzzing: files are spoilt, tried, and spoilt further where that led somewhere new."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.fuzz.driver import Child, Outcome, name_of

_MOST_KEPT = 3000
_LONGEST = 200_000
"""Bytes of a file that is changed further: a longer one takes time and shows no more."""

Made = Callable[[list[bytes], random.Random], bytes]
"""The next file to try, of those that are known."""


@dataclass
class Report:
    """What came of it.

    Attributes:
        answers: How often each was given; see tests.fuzz.targets.
        slowest: The answer that took longest.
        findings: What did harm, by the file that is kept; one for each kind of harm.
    """

    tried: int = 0
    harmful: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    slowest: str = ""
    most_bytes: int = 0
    findings: dict[str, str] = field(default_factory=dict)

    @property
    def read(self) -> int:
        """Files that were read although they were spoilt."""
        return sum(count for answer, count in self.answers.items() if answer.startswith("read"))

    def __str__(self) -> str:
        return (
            f"{self.tried} files, {self.read} of them read, {len(self.answers)} different "
            f"answers, slowest {self.slowest_s * 1000:.0f} ms ({self.slowest}), most memory "
            f"{self.most_bytes >> 20} MiB; {self.harmful} did harm, in {len(self.findings)} ways"
        )


class Session:
    """Tries files and keeps account.

    Args:
        target: Name of one of tests.fuzz.targets.
        folder: Where files that did harm are written.
        tell: Hears of each finding, and once a minute how far it is.
    """

    def __init__(
        self, target: str, folder: Path, tell: Callable[[str], None] = lambda line: None
    ) -> None:
        self.report = Report()
        self._target = target
        self._folder = folder
        self._tell = tell
        self._harms: set[str] = set()

    def fuzz(self, samples: Mapping[str, bytes], made: Made, *, seconds: float, seed: int) -> None:
        """Tries files for some seconds.

        Args:
            samples: Whole files by name; each must be read.
            seed: The same makes the same files, as far as the time allows.
        """
        known, chance = list(samples.values()), random.Random(seed)
        with Child(self._target) as child:
            seen = {self._sound(child, name, data) for name, data in samples.items()}
            until, next_line = time.monotonic() + seconds, time.monotonic() + 60
            while (now := time.monotonic()) < until:
                data = made(known, chance)
                outcome = child.tried(data)
                self._count(outcome, data)
                if outcome.fault is None and outcome.said not in seen:
                    seen.add(outcome.said)
                    if len(known) < _MOST_KEPT and len(data) <= _LONGEST:
                        known.append(data)
                if now > next_line:
                    next_line += 60
                    self._tell(str(self.report))

    def _sound(self, child: Child, name: str, data: bytes) -> str:
        outcome = child.tried(data)
        if outcome.fault or not outcome.said.startswith("read"):
            raise ValueError(f"the sample {name} is not read: {outcome.said}")
        return outcome.said

    def _count(self, outcome: Outcome, data: bytes) -> None:
        report = self.report
        report.tried += 1
        report.most_bytes = max(report.most_bytes, outcome.grown_bytes)
        if outcome.fault is not None:
            report.harmful += 1
            self._keep(outcome, data)
            return
        report.answers[outcome.said] += 1
        if outcome.spent_s > report.slowest_s:
            report.slowest_s, report.slowest = outcome.spent_s, outcome.said

    def _keep(self, outcome: Outcome, data: bytes) -> None:
        """Writes the first file of each way to do harm."""
        harm = f"{outcome.fault} {outcome.said.strip().splitlines()[-1]}"
        if harm in self._harms:
            return
        self._harms.add(harm)
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{outcome.fault}-{name_of(data)}"
        path.write_bytes(data)
        path.with_suffix(".txt").write_text(outcome.said)
        self.report.findings[str(path)] = outcome.said
        self._tell(f"{path}: {harm}")
