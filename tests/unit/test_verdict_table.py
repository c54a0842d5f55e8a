"""Thresholds for whole verdicts: exactly on small tables, and on a simulated population."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from model.contract import Calibration, Fusion, OperatingPoint, VerdictPoint
from service.core.decide import decide, needed
from service.core.verdict_table import Verdict, asked, verdict_fmr
from training.uncalibrated import uncalibrated

Column = Mapping[float, float]
"""Threshold by rate."""

PAIRS = {1e-2: 0.60, 1e-3: 0.80, 1e-4: 0.95, 1e-5: 0.98}
ANY: dict[str, object] = {"fmr_interval": (0, 1), "fnmr": 0.1, "fnmr_interval": (0, 1)}


def calibration(
    verdicts: Mapping[tuple[Fusion, int], Column] | None = None,
    pairs: Column = PAIRS,
    verification: float = 0.5,
) -> Calibration:
    points = [
        OperatingPoint.model_validate(
            {"fmr": fmr, "threshold": threshold, "fmr_measured": fmr, **ANY}
        )
        for fmr, threshold in pairs.items()
    ]
    rows = [
        VerdictPoint.model_validate(
            {
                "fusion": fusion,
                "references": k,
                "fmr": fmr,
                "threshold": threshold,
                "verification_threshold": verification if fusion == "share" else None,
                "fmr_measured": fmr,
                **ANY,
            }
        )
        for (fusion, k), column in (verdicts or {}).items()
        for fmr, threshold in column.items()
    ]
    return uncalibrated().model_copy(update={"points": tuple(points), "verdicts": tuple(rows)})


def threshold(
    table: Calibration, fusion: Fusion, k: int, fmr: float, verification: float = 0.5
) -> float | None:
    return asked(table, Verdict(fusion, k, verification)).threshold(fmr)


def rate(
    table: Calibration, fusion: Fusion, k: int, above: float, verification: float = 0.5
) -> float | None:
    return verdict_fmr(table, Verdict(fusion, k, verification), above)


MAX = calibration(
    {
        ("max", 1): {1e-3: 0.81, 1e-4: 0.94},
        ("max", 5): {1e-3: 0.90, 1e-4: 0.97, 1e-5: 0.99},
        ("max", 10): {1e-3: 0.92, 1e-4: 0.98},
    }
)


@pytest.mark.parametrize(
    ("k", "fmr", "expected"),
    [
        (1, 1e-3, 0.81),
        (5, 1e-3, 0.90),
        (5, 5e-4, 0.97),  # between two rates: the stricter
        (5, 1, 0.90),  # looser than the table: its loosest row
        (5, 1e-5, 0.99),
        (7, 1e-3, 0.92),  # between two k: the stricter neighbour
        (3, 1e-4, 0.97),
        (7, 1e-5, None),  # one neighbour does not reach so far
        (5, 1e-6, None),
        (10, 1e-4, 0.98),
        (20, 1e-3, 0.98),  # two parts of 10, at half the rate
        (20, 2e-3, 0.92),
        (100, 1e-2, 0.92),  # ten parts of 10: exactly a tenth, whatever its last digit
        (11, 1e-3, 0.98),  # parts of 5 and 6
        (20, 1e-4, 0.99),  # the column of 10 ends too soon: four parts of 5
        (20, 1e-5, None),
    ],
)
def test_the_threshold_for_a_rate(k: int, fmr: float, expected: float | None) -> None:
    assert threshold(MAX, "max", k, fmr) == expected


def test_a_rate_that_is_just_so_many_times_a_rows_takes_that_row() -> None:
    table = calibration({("max", 10): {1e-3: 0.92, 1e-4: 0.98}})
    for parts in range(1, 10):
        assert threshold(table, "max", 10 * parts, float(f"{parts}e-4")) == 0.98
    assert any(float(f"{parts}e-4") / parts < 1e-4 for parts in range(1, 10))


@pytest.mark.parametrize(
    ("k", "above", "expected"),
    [
        (5, 0.99, 1e-5),
        (5, 0.989, 1e-4),
        (5, 0.90, 1e-3),
        (5, 0.899, 5e-3),  # below the column's loosest row: five single pairs
        (5, 0.80, None),
        (7, 0.99, 1e-4),
        (7, 0.91, 2e-3),  # above the row of 5, below that of 10: parts of 3 and 4
        (20, 0.98, 2e-4),
        (20, 0.97, 4e-4),  # four parts of 5 say more than two of 10
        (1000, 0.92, 0.1),
        (20_000, 0.92, None),  # 2,000 parts at 1e-3 say nothing
    ],
)
def test_the_rate_of_a_threshold(k: int, above: float, expected: float | None) -> None:
    found = rate(MAX, "max", k, above)
    assert found == (None if expected is None else pytest.approx(expected))


def test_the_strictest_rate_that_can_be_asked() -> None:
    for k, strictest, highest in ((5, 1e-5, 0.99), (7, 1e-4, 0.98), (20, 4e-5, 0.99)):
        bounds = asked(MAX, Verdict("max", k, 0.5))
        assert bounds.strictest == pytest.approx(strictest)
        assert bounds.threshold(bounds.strictest) == highest
        assert bounds.threshold(bounds.strictest * 0.999) is None


def test_a_share_of_many_references_is_bounded_by_single_pairs() -> None:
    # 11 of 20 must match: a stranger does so at most 20/11 times as often as one pair.
    table = calibration({("share", 5): {1e-3: 0.3}})
    assert threshold(table, "share", 20, 4e-3) == 0.3
    assert threshold(table, "share", 20, 2e-4) == PAIRS[1e-4]
    assert threshold(table, "share", 20, 1e-4) == PAIRS[1e-5]
    assert asked(table, Verdict("share", 20, 0.5)).strictest == pytest.approx(20 / 11 * 1e-5)


def test_without_rows_of_one_reference_the_single_pairs_stand_for_them() -> None:
    table = calibration({("mean", 3): {1e-3: 0.7, 1e-4: 0.9}})
    assert threshold(table, "mean", 1, 1e-4) == PAIRS[1e-4]
    assert threshold(table, "mean", 2, 1e-4) == max(0.9, PAIRS[1e-4])
    assert threshold(table, "mean", 3, 1e-4) == 0.9
    assert rate(table, "mean", 2, 0.9) == 1e-3


def test_without_rows_of_the_rule() -> None:
    table = calibration({("share", 5): {1e-4: 0.5}})
    # A union bound for max; for the others the rate of one comparison, as documented.
    assert threshold(table, "max", 10, 1e-4) == PAIRS[1e-5]
    assert threshold(table, "max", 11, 1e-4) is None
    assert threshold(table, "mean", 10, 1e-4) == PAIRS[1e-4]
    assert threshold(table, "centroid", 10, 1e-4) == PAIRS[1e-4]
    assert threshold(calibration(), "share", 10, 1e-4) == PAIRS[1e-4]
    # What is known of the verdict's own rate.
    assert rate(table, "max", 10, 0.95) == pytest.approx(10e-4)
    assert rate(table, "mean", 10, 0.95) == pytest.approx(10e-4)
    assert rate(table, "centroid", 10, 0.95) is None
    assert rate(calibration(), "share", 10, 0.95) == pytest.approx(10 / 6 * 1e-4)
    assert rate(calibration(), "share", 10, 0.5) is None
    for rule in get_args(Fusion):
        assert rate(calibration(), rule, 1, 0.95) == 1e-4


def test_share_counts_rows_of_its_verification_threshold_alone() -> None:
    table = calibration({("share", 5): {1e-3: 0.5, 1e-4: 0.7}})
    assert threshold(table, "share", 5, 1e-4) == 0.7
    for other in (0.4, 0.6):
        assert threshold(table, "share", 5, 1e-4, other) == PAIRS[1e-4]
    # A higher one lets nobody in whom the row's does not; of a lower one only the
    # single pairs speak: 2 of 5 must match.
    assert rate(table, "share", 5, 0.7, 0.6) == 1e-4
    assert rate(table, "share", 5, 0.7, 0.3) == pytest.approx(5 / 2 * 1e-2)
    assert rate(table, "share", 5, 0.95, 0.3) == pytest.approx(5 / 2 * 1e-4)


def test_a_share_looser_than_both_neighbours_is_not_put_between_them() -> None:
    # 2 of 3 must match, between 2 of 2 and 3 of 4: parts of one and two references.
    table = calibration({("share", 2): {1e-3: 0.3, 1e-4: 0.4}, ("share", 4): {1e-3: 0.3}})
    assert threshold(table, "share", 3, 2e-3) == max(0.3, PAIRS[1e-3])
    # 3 of 5 is no looser than 2 of 3.
    table = calibration({("share", 3): {1e-3: 0.3}, ("share", 10): {1e-3: 0.2}})
    assert threshold(table, "share", 5, 1e-3) == 0.3


@pytest.mark.parametrize("verification", [0, 0.1, 0.3, 1 / 3, 0.5, 2 / 3, 0.7, 0.9, 0.99, 1])
def test_needed_counts_as_decide_does(verification: float) -> None:
    for k in range(1, 60):
        least = needed(k, verification)
        verdicts = [
            decide(np.array([1] * m + [0] * (k - m), dtype=np.float32), 0.5, verification).verified
            for m in range(k + 1)
        ]
        assert verdicts == [m >= least for m in range(k + 1)]


# A population to be wrong about. The probe of a stranger is more or less like all
# references of an identity, and like each of them by itself.
GALLERIES, MOST, TABULATED = 200_000, 24, (1, 3, 5, 10)
RATES = (1e-1, 3e-2, 1e-2, 3e-3, 1e-3)


@pytest.fixture(scope="module", params=[0.0, 0.5], ids=["independent", "alike"])
def strangers(request: pytest.FixtureRequest) -> NDArray[np.float32]:
    """Log-odds of impostor scores. Shape (galleries, references)."""
    generator = np.random.default_rng(11)
    alone = generator.standard_normal((GALLERIES, MOST), dtype=np.float32)
    shared = generator.standard_normal((GALLERIES, 1), dtype=np.float32)
    return np.sqrt(1 - request.param) * alone + np.sqrt(request.param) * shared  # type: ignore[no-any-return]


def statistic(
    fusion: Fusion, scores: NDArray[np.float32], verification: float
) -> NDArray[np.float32]:
    """What must be above the threshold. For `share` the m-th best score."""
    if fusion == "max":
        return scores.max(axis=1)  # type: ignore[no-any-return]
    if fusion == "mean":
        return scores.mean(axis=1)  # type: ignore[no-any-return]
    k = scores.shape[1]
    return np.sort(scores, axis=1)[:, k - needed(k, verification)]


def quantiles(values: NDArray[np.float32], rates: Sequence[float]) -> dict[float, float]:
    """A score for each rate that just so many of the values are above."""
    ordered = np.sort(values)[::-1]
    return {rate: sigmoid(float(ordered[round(rate * len(ordered))])) for rate in rates}


def sigmoid(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


@pytest.mark.parametrize(
    ("fusion", "verification"), [("share", 0.5), ("share", 0.3), ("max", 0.5), ("mean", 0.5)]
)
@pytest.mark.parametrize("tabulated", [TABULATED, ()], ids=["table", "no table"])
def test_no_verdict_is_wrong_more_often_than_it_says(
    strangers: NDArray[np.float32],
    fusion: Fusion,
    verification: float,
    tabulated: tuple[int, ...],
) -> None:
    fit, test = strangers[: GALLERIES // 2], strangers[GALLERIES // 2 :]
    columns = {
        (fusion, k): quantiles(statistic(fusion, fit[:, :k], verification), RATES)
        for k in tabulated
    }
    table = calibration(columns, quantiles(fit[:, 0], RATES), verification)
    asked_for = 0
    for k in range(1, MOST + 1):
        verdict = Verdict(fusion, k, verification)
        values = statistic(fusion, test[:, :k], verification)
        for fmr in RATES:
            above = asked(table, verdict).threshold(fmr)
            if above is None:
                continue
            wrong = float((values > np.log(above / (1 - above))).mean())
            bound = verdict_fmr(table, verdict, above)
            # Five standard errors, of the measurement and of the table together.
            slack = 5 * np.sqrt(2 * fmr / len(values))
            if tabulated:
                assert bound is not None
                assert bound <= fmr * 1.0001
                asked_for += 1
            if bound is not None:
                assert wrong <= bound + slack, (k, fmr, wrong, bound)
            if fusion == "max":
                assert wrong <= fmr + slack, (k, fmr, wrong)
    assert asked_for >= (2 * MOST if tabulated else 0)
