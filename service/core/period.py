"""What the audit log says of a span of time: how verifications and enrolments went.

It names nobody. Scores are in it only where `SEMBLANCE_AUDIT_SCORES` was on; what share of
an identity's references matched is always known, and says nearly as much.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

UNKNOWN: Final = "unknown"
"""The model of rows that were written before the log said which it was."""

_REJECTED: Final = "rejected_"
_OBJECTION: Final = "objection_"
VERDICTS: Final = ("verified", "not_verified")
DAY_US: Final = 86_400 * 10**6


class Event(NamedTuple):
    """A row of the log, as far as it matters here.

    Attributes:
        at_us: Microseconds since 1970, UTC.
    """

    at_us: int
    action: str
    outcome: str
    details: Mapping[str, Any]


def _scores() -> array[float]:
    """Of millions: eight bytes each."""
    return array("d")


@dataclass
class Verdicts:
    """Of the verifications by one model.

    Attributes:
        verified: By day since 1970: how many were, and of how many.
        best: Best score of each, where scores are on record.
        single: Score of each reference of those that were verified; likewise.
        references, matched: Of those that were verified.
        thresholds: Detection thresholds in force, by how often.
    """

    verified: dict[int, tuple[int, int]] = field(default_factory=dict)
    best: array[float] = field(default_factory=_scores)
    single: array[float] = field(default_factory=_scores)
    references: int = 0
    matched: int = 0
    thresholds: Counter[float] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        return sum(of for _, of in self.verified.values())

    @property
    def positive(self) -> int:
        return sum(some for some, _ in self.verified.values())

    def add(self, event: Event) -> None:
        is_verified = event.outcome == "verified"
        some, of = self.verified.get(event.at_us // DAY_US, (0, 0))
        self.verified[event.at_us // DAY_US] = (some + is_verified, of + 1)
        threshold = _number(event.details.get("detection_threshold"))
        if threshold is not None:
            self.thresholds[threshold] += 1
        scores = [s for s in map(_number, _list(event.details.get("scores"))) if s is not None]
        if scores:
            self.best.append(max(scores))
        if is_verified:
            self.single.extend(scores)
            self.references += int(_number(event.details.get("references")) or 0)
            self.matched += int(_number(event.details.get("matched")) or 0)


@dataclass
class Period:
    """Of a span of time.

    Attributes:
        models: Verifications by fingerprint.
        problems: Verifications that were answered with a problem, by its code.
        accepted: Images enrolled, duplicates included.
        rejected: Images refused at enrolment, by code.
        objections: Reasons of the quality gate.
        liveness: Sessions by how they ended.
    """

    models: dict[str, Verdicts] = field(default_factory=dict)
    problems: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    objections: Counter[str] = field(default_factory=Counter)
    liveness: Counter[str] = field(default_factory=Counter)

    @property
    def images(self) -> int:
        return self.accepted + self.rejected.total()


def period_of(events: Iterable[Event]) -> Period:
    """Sums up events; those of other actions, and what somebody has spoilt, are passed over."""
    found = Period()
    for event in events:
        match event.action:
            case "verify" if event.outcome in VERDICTS:
                model = event.details.get("model")
                key = model if isinstance(model, str) else UNKNOWN
                found.models.setdefault(key, Verdicts()).add(event)
            case "verify":
                found.problems[event.outcome] += 1
            case "liveness" if event.outcome in ("passed", "failed"):
                found.liveness[event.outcome] += 1
            case "enroll":
                _add_enrolment(found, event.details)
    return found


def _add_enrolment(found: Period, details: Mapping[str, Any]) -> None:
    for name, value in details.items():
        count = int(_number(value) or 0)
        if name in ("accepted", "duplicates"):
            found.accepted += count
        elif name.startswith(_REJECTED):
            found.rejected[name.removeprefix(_REJECTED)] += count
        elif name.startswith(_OBJECTION):
            found.objections[name.removeprefix(_OBJECTION)] += count


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None  # type: ignore[arg-type]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
