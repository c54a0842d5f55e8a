"""`python -m service report`: has the model, or what it is shown, changed? From the audit log."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from model.artifact import ArtifactError, read_artifact
from model.contract import Calibration
from service.commands.context import Context, context
from service.core.drift import Shift, wilson
from service.core.drift_report import ModelReport, Report, as_json, by_time, report_of
from service.core.errors import InvalidRequest
from service.core.period import DAY_US, Period, period_of
from service.storage.audit_period import events_between

_ACTIONS: Final = ("verify", "enroll", "liveness")
_PARTS: Final = 10
_SPAN: Final = re.compile(r"(\d{1,4})([dw])")


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "report", help="drift: how verifications and enrolments go, compared with the time before"
    )
    parser.add_argument(
        "--since", default="30d", metavar="30d", help="so many days (d) or weeks (w) until now"
    )
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=_report)


def _report(chosen: argparse.Namespace) -> int:
    """Exit status 1 if there is something to worry about."""
    span = _span(chosen.since)
    until = datetime.now(UTC)
    with context() as at_hand:
        now = _period(at_hand, until - span, until)
        before = _period(at_hand, until - 2 * span, until - span)
        found = report_of(now, before, _calibrations(at_hand))
        keeps_scores = at_hand.settings.audit_scores
    if chosen.json:
        span_of = {"since": (until - span).isoformat(), "until": until.isoformat()}
        print(json.dumps(span_of | as_json(found), indent=2))
    else:
        for line in _lines(found, until - span, until, keeps_scores=keeps_scores):
            print(line)
    return 1 if found.worst == "worry" else 0


def _period(at_hand: Context, since: datetime, until: datetime) -> Period:
    engine = at_hand.opened.audit_engine
    return period_of(events_between(engine, _us(since), _us(until), _ACTIONS))


def _calibrations(at_hand: Context) -> dict[str, tuple[str, Calibration]]:
    """Of the models that the settings name, as far as they can be read."""
    found = {}
    for folder in (at_hand.settings.artifact, at_hand.settings.next_artifact):
        if folder is not None:
            try:
                manifest = read_artifact(folder).manifest
            except (ArtifactError, OSError):
                continue
            found[manifest.fingerprint] = (manifest.name, manifest.calibration)
    return found


def _lines(found: Report, since: datetime, until: datetime, *, keeps_scores: bool) -> Iterator[str]:
    yield f"{since:%Y-%m-%d} to {until:%Y-%m-%d}, beside as long a time before that"
    for model in found.models:
        yield ""
        yield from _model(model, since, until)
    if not found.models:
        yield "no verification is on record"
    yield ""
    for name, shift in found.shares.items():
        yield _share(name, shift)
    if found.now.objections:
        reasons = ", ".join(f"{name} {n}" for name, n in found.now.objections.most_common())
        yield f"  the gate's reasons: {reasons}"
    if found.now.problems:
        codes = ", ".join(f"{name} {n}" for name, n in found.now.problems.most_common())
        yield f"  without a verdict for: {codes}"
    yield ""
    if not keeps_scores:
        yield "scores are not on record (SEMBLANCE_AUDIT_SCORES): their spread was not compared"
    for mark in ("worry", "look"):
        for name in (name for name, one in found.marks.items() if one == mark):
            yield f"{mark}: {name}"
    yield f"all in all: {found.worst} (what that means, and what to do: docs/drift.md)"


def _model(model: ModelReport, since: datetime, until: datetime) -> Iterator[str]:
    name = f" ({model.name})" if model.name else ", whose manifest is not at hand"
    yield f"model {model.fingerprint}{name}"
    yield _share("verified", model.verified)
    for day, some, of in by_time(model.now, _us(since), _us(until), _PARTS):
        at = datetime.fromtimestamp(day * DAY_US / 1e6, UTC)
        low, high = wilson(some, of)
        yield f"    from {at:%Y-%m-%d}: {of:7d}, {some / of:6.1%}  ({low:.1%} .. {high:.1%})"
    if model.best is not None:
        best = model.best
        worth = f"PSI {best.psi:.3f} (chance {best.chance:.3f})"
        yield f"  spread of the best scores: {worth}: {best.mark}"
    for title, missed in (
        *((("references that did not match", model.missed),) if model.missed else ()),
        *(("single scores below the threshold", row) for row in model.rows),
    ):
        share = missed.some / missed.of
        measured = "not measured there"
        if missed.expected is not None:
            fnmr, low, high = missed.expected
            measured = f"measured {fnmr:.2%}, {low:.2%} .. {high:.2%}"
        yield (
            f"  of those verified, {title} {missed.threshold:.4f}: {share:.2%} of {missed.of} "
            f"({measured}): {missed.mark}"
        )


def _share(name: str, shift: Shift) -> str:
    now = f"{shift.now[0] / shift.now[1]:.1%} of {shift.now[1]}" if shift.now[1] else "none"
    before = (
        f"{shift.before[0] / shift.before[1]:.1%} of {shift.before[1]}"
        if shift.before[1]
        else "none"
    )
    return f"  {name}: {now}, before {before}: {shift.mark}"


def _us(moment: datetime) -> int:
    return round(moment.timestamp() * 1e6)


def _span(text: str) -> timedelta:
    form = _SPAN.fullmatch(text)
    if not form or not int(form[1]):
        raise InvalidRequest(f"expected a time such as 30d or 8w, found '{text}'")
    return timedelta(days=int(form[1]) * (7 if form[2] == "w" else 1))
