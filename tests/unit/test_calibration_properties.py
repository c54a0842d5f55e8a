"""What must hold of every calibration table: rates and thresholds agree, stricter is higher.

Tables are drawn as an artifact may hold them: rates fall, thresholds rise, columns
of a few numbers of references for one rule.
"""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from model.artifact import Artifact
from model.contract import Calibration, Fusion, OperatingPoint, VerdictPoint
from service.core.verdict_table import Verdict, asked, verdict_fmr
from training.uncalibrated import uncalibrated

RATES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
ANY: dict[str, object] = {"fmr_interval": (0, 1), "fnmr": 0.1, "fnmr_interval": (0, 1)}
SLACK = 1 + 1e-6
"""A rate that was multiplied and divided again."""

RATE = st.floats(-7, 0).map(lambda power: 10**power)
THRESHOLD = st.floats(0, 1)
many = settings(deadline=None, max_examples=300)


@st.composite
def columns(draw: st.DrawFn) -> dict[float, float]:
    """Thresholds by rate, from loose to strict."""
    rates = draw(st.lists(st.sampled_from(RATES), min_size=1, unique=True))
    thresholds = draw(st.lists(THRESHOLD, min_size=len(rates), max_size=len(rates)))
    return dict(zip(sorted(rates, reverse=True), sorted(thresholds), strict=True))


def point(fmr: float, threshold: float) -> dict[str, object]:
    return {"fmr": fmr, "threshold": threshold, "fmr_measured": fmr, **ANY}


def plain(column: dict[float, float]) -> Calibration:
    points = tuple(OperatingPoint.model_validate(point(*row)) for row in column.items())
    return uncalibrated().model_copy(update={"points": points})


@st.composite
def tables(draw: st.DrawFn) -> tuple[Calibration, Verdict]:
    """A calibration, perhaps with a table of whole verdicts, and a verdict to ask for."""
    fusion: Fusion = draw(st.sampled_from(get_args(Fusion)))
    verification = draw(st.sampled_from([0, 0.25, 0.5, 2 / 3, 0.9]))
    numbers = draw(st.lists(st.integers(1, 12), max_size=4, unique=True))
    rows = [
        VerdictPoint.model_validate(
            {
                "fusion": fusion,
                "references": k,
                "verification_threshold": verification if fusion == "share" else None,
                **point(*row),
            }
        )
        for k in numbers
        for row in draw(columns()).items()
    ]
    calibration = plain(draw(columns())).model_copy(update={"verdicts": tuple(rows)})
    return calibration, Verdict(fusion, draw(st.integers(1, 60)), verification)


@many
@given(columns(), RATE, RATE)
def test_a_stricter_rate_has_no_lower_threshold(
    column: dict[float, float], a: float, b: float
) -> None:
    table = plain(column)
    if min(a, b) < min(column):
        with pytest.raises(ValueError, match="no threshold was measured"):
            table.at_fmr(min(a, b) / SLACK)
        return
    strict, loose = table.at_fmr(min(a, b)), table.at_fmr(max(a, b))
    assert strict.threshold >= loose.threshold
    assert strict.fmr <= min(a, b) * SLACK
    assert loose.fmr <= max(a, b) * SLACK


@many
@given(columns(), THRESHOLD, THRESHOLD)
def test_a_higher_threshold_has_no_higher_rate(
    column: dict[float, float], a: float, b: float
) -> None:
    table = plain(column)
    low, high = table.fmr_of(min(a, b)), table.fmr_of(max(a, b))
    if low is not None:
        assert high is not None
        assert high <= low
    if high is None:
        assert max(a, b) < min(column.values())


@many
@given(columns(), RATE)
def test_the_rate_of_the_threshold_for_a_rate_is_no_higher(
    column: dict[float, float], rate: float
) -> None:
    table = plain(column)
    for row in table.points:
        assert table.at_fmr(row.fmr) == row
        found = table.fmr_of(row.threshold)
        assert found is not None
        assert found <= row.fmr
    if rate >= min(column):
        found = table.fmr_of(table.at_fmr(rate).threshold)
        assert found is not None
        assert found <= rate * SLACK


@many
@given(columns())
def test_a_table_in_another_order_is_no_table(column: dict[float, float]) -> None:
    whole = plain(column).model_dump()
    assert Calibration.model_validate(whole).points == plain(column).points
    if len(column) > 1:
        whole["points"] = whole["points"][::-1]
        with pytest.raises(ValidationError, match="from loose to strict"):
            Calibration.model_validate(whole)


@many
@given(tables(), RATE, RATE)
def test_a_verdicts_stricter_rate_is_refused_or_has_a_threshold_that_keeps_it(
    drawn: tuple[Calibration, Verdict], a: float, b: float
) -> None:
    calibration, verdict = drawn
    bounds = asked(calibration, verdict)
    for rate in (a, b):
        threshold = bounds.threshold(rate)
        assert (threshold is None) == (rate * SLACK < bounds.strictest) or (
            rate == pytest.approx(bounds.strictest, rel=1e-6)
        )
        if threshold is not None:
            kept = bounds.rate(threshold)
            assert kept is not None or rate * SLACK >= 1
            assert kept is None or kept <= rate * SLACK


@many
@given(tables(), THRESHOLD, THRESHOLD)
def test_a_verdicts_rate_falls_as_its_threshold_rises(
    drawn: tuple[Calibration, Verdict], a: float, b: float
) -> None:
    calibration, verdict = drawn
    low = verdict_fmr(calibration, verdict, min(a, b))
    high = verdict_fmr(calibration, verdict, max(a, b))
    for rate in (low, high):
        assert rate is None or 0 < rate < 1
    if low is not None:
        assert high is not None
        assert high <= low


@many
@given(tables(), RATE)
def test_what_is_asked_for_is_what_is_reported(
    drawn: tuple[Calibration, Verdict], rate: float
) -> None:
    """The rate in an answer is never above the one that was asked for, where a table bounds it."""
    calibration, verdict = drawn
    threshold = asked(calibration, verdict).threshold(rate)
    measured = any(row.fusion == verdict.fusion for row in calibration.verdicts)
    if threshold is None or not measured or rate * SLACK >= 1:
        return
    reported = verdict_fmr(calibration, verdict, threshold)
    assert reported is not None
    assert reported <= rate * SLACK


@many
@given(tables(), RATE, RATE)
def test_a_verdicts_threshold_rises_as_its_rate_falls_on_one_bound(
    drawn: tuple[Calibration, Verdict], a: float, b: float
) -> None:
    """Of several bounds the first that reaches a rate speaks; the next may be a better one."""
    for bound in asked(*drawn).all:
        strict, loose = bound.threshold(min(a, b)), bound.threshold(max(a, b))
        if strict is not None:
            assert loose is not None
            assert strict >= loose


@pytest.mark.parametrize("fusion", get_args(Fusion))
def test_our_own_tables_never_have_a_lower_threshold_for_a_stricter_rate(
    artifact: Artifact, sface_artifact: Artifact, fusion: Fusion
) -> None:
    """Over all bounds together, which drawn tables need not keep."""
    rates = [10 ** (-power / 20) for power in range(140)]
    for found in (artifact, sface_artifact):
        for k in (*range(1, 31), 50, 100):
            bounds = asked(found.manifest.calibration, Verdict(fusion, k, 0.5))
            thresholds = [t for rate in rates if (t := bounds.threshold(rate)) is not None]
            assert thresholds == sorted(thresholds), k
            assert len(thresholds) > 20
