"""The drift report: what the audit log says of a span of time, judged by `service.core.drift`.

The span is compared with the one before it, which is as long, and with the calibration in
the model's manifest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from model.contract import Calibration
from service.core.drift import Mark, Missed, Shift, Stability, missed_of, shift_of, stability_of
from service.core.period import DAY_US, Period, Verdicts

_EMPTY = Verdicts()


@dataclass(frozen=True)
class ModelReport:
    """Verifications by one model.

    Attributes:
        fingerprint: Or "unknown".
        name: From its manifest; None if that is not at hand.
        verified: Share of those that were verified.
        best: Best score of each verification; None where scores are not on record.
        missed: References of verified people that did not match.
        rows: Of the manifest's table, by single scores of verified people; empty likewise.
    """

    fingerprint: str
    name: str | None
    verified: Shift
    best: Stability | None
    missed: Missed | None
    rows: tuple[Missed, ...]
    now: Verdicts
    before: Verdicts


@dataclass(frozen=True)
class Report:
    """Attributes: shares: Of all models together, by what is counted."""

    models: tuple[ModelReport, ...]
    shares: Mapping[str, Shift]
    now: Period
    before: Period

    @property
    def marks(self) -> dict[str, Mark]:
        """Each thing that was looked at, and what it is worth."""
        found: dict[str, Mark] = {name: shift.mark for name, shift in self.shares.items()}
        for model in self.models:
            found[f"{model.fingerprint}: verified"] = model.verified.mark
            if model.best is not None:
                found[f"{model.fingerprint}: scores"] = model.best.mark
            if model.missed is not None:
                found[f"{model.fingerprint}: references missed"] = model.missed.mark
            for row in model.rows:
                name = f"{model.fingerprint}: scores below {row.threshold:.4f}"
                found[name] = row.mark
        return found

    @property
    def worst(self) -> Mark:
        order: tuple[Mark, ...] = ("worry", "look", "steady")
        return next((mark for mark in order if mark in self.marks.values()), "too few")


def report_of(
    now: Period, before: Period, calibrations: Mapping[str, tuple[str, Calibration]]
) -> Report:
    """Args: calibrations: Name and calibration by fingerprint, of the manifests at hand."""
    fingerprints = sorted(
        now.models.keys() | before.models.keys(),
        key=lambda one: -now.models.get(one, _EMPTY).count,
    )
    models = tuple(
        _model(
            one,
            now.models.get(one, Verdicts()),
            before.models.get(one, Verdicts()),
            calibrations.get(one),
        )
        for one in fingerprints
    )
    shares = {
        "images refused at enrolment": shift_of(
            (now.rejected.total(), now.images), (before.rejected.total(), before.images)
        ),
        "of them by the quality gate": shift_of(
            (now.rejected["low_quality"], now.images),
            (before.rejected["low_quality"], before.images),
        ),
        "verifications without a verdict": shift_of(_problems(now), _problems(before)),
        "liveness sessions failed": shift_of(_failed(now), _failed(before)),
    }
    return Report(models, shares, now, before)


def _problems(period: Period) -> tuple[int, int]:
    some = period.problems.total()
    return some, some + sum(one.count for one in period.models.values())


def _failed(period: Period) -> tuple[int, int]:
    return period.liveness["failed"], period.liveness.total()


def _model(
    fingerprint: str, now: Verdicts, before: Verdicts, known: tuple[str, Calibration] | None
) -> ModelReport:
    name, calibration = known or (None, None)
    both = now.best and before.best
    missed = None
    if now.references:
        threshold = max(now.thresholds, key=lambda one: now.thresholds[one])
        missed = missed_of(
            threshold,
            now.references - now.matched,
            now.references,
            _expected(calibration, threshold) if len(now.thresholds) == 1 else None,
        )
    return ModelReport(
        fingerprint,
        name,
        shift_of((now.positive, now.count), (before.positive, before.count)),
        stability_of(now.best, before.best) if both else None,
        missed,
        _rows(now.single, calibration),
        now,
        before,
    )


def _expected(
    calibration: Calibration | None, threshold: float
) -> tuple[float, float, float] | None:
    """FNMR at this threshold and its interval: of the loosest row that is no looser."""
    for point in calibration.points if calibration else ():
        if point.threshold >= threshold:
            return point.fnmr, *point.fnmr_interval
    return None


def _rows(single: Sequence[float], calibration: Calibration | None) -> tuple[Missed, ...]:
    if not single or calibration is None:
        return ()
    return tuple(
        missed_of(
            point.threshold,
            sum(score <= point.threshold for score in single),
            len(single),
            (point.fnmr, *point.fnmr_interval),
        )
        for point in calibration.points
    )


def by_time(found: Verdicts, first_us: int, last_us: int, parts: int) -> list[tuple[int, int, int]]:
    """First day since 1970, verified and all, of up to so many parts of the span."""
    first, days = first_us // DAY_US, max(1, -(-(last_us - first_us) // DAY_US))
    width = -(-days // parts)
    rows = []
    for start in range(first, first + days + 1, width):
        inside = [found.verified.get(day, (0, 0)) for day in range(start, start + width)]
        rows.append((start, sum(a for a, _ in inside), sum(b for _, b in inside)))
    return [row for row in rows if row[2]]


def as_json(report: Report) -> dict[str, Any]:
    """The report as content of a JSON object."""
    return {
        "worst": report.worst,
        "marks": report.marks,
        "models": [
            {
                "fingerprint": model.fingerprint,
                "name": model.name,
                "verified": _shift(model.verified),
                "median_best_score": _median(model.now.best),
                "median_best_score_before": _median(model.before.best),
                "scores": model.best and {"psi": model.best.psi, "chance": model.best.chance},
                "references_missed": model.missed and _missed(model.missed),
                "calibration_rows": [_missed(row) for row in model.rows],
            }
            for model in report.models
        ],
        "shares": {name: _shift(shift) for name, shift in report.shares.items()},
        "images": {
            "accepted": report.now.accepted,
            "rejected": dict(report.now.rejected),
            "objections": dict(report.now.objections),
        },
        "problems": dict(report.now.problems),
        "liveness": dict(report.now.liveness),
    }


def _median(scores: Sequence[float]) -> float | None:
    return median(scores) if scores else None


def _shift(shift: Shift) -> dict[str, Any]:
    return {
        "now": list(shift.now),
        "before": list(shift.before),
        "difference_interval": [shift.low, shift.high],
        "mark": shift.mark,
    }


def _missed(missed: Missed) -> dict[str, Any]:
    return {
        "threshold": missed.threshold,
        "count": missed.some,
        "of": missed.of,
        "fnmr_and_interval": list(missed.expected) if missed.expected else None,
        "mark": missed.mark,
    }
