"""The threshold of an identification, by how many references are searched."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.contract import Calibration
from service.core.errors import InvalidRequest
from service.core.fpir import bar, fmr_within, fpir_of

TABLE = {1e-2: 0.5, 1e-3: 0.8, 1e-4: 0.95, 1e-5: 0.99, 1e-6: 0.999}


@pytest.fixture(scope="module")
def calibration() -> Calibration:
    points = [
        {
            "fmr": fmr,
            "threshold": threshold,
            "fmr_measured": fmr,
            "fmr_interval": (fmr / 2, fmr),
            "fnmr": 0.1,
            "fnmr_interval": (0.0, 0.2),
        }
        for fmr, threshold in TABLE.items()
    ]
    return Calibration.model_validate(
        {
            "dataset": "d",
            "protocol": "p",
            "measured_on": "2026-01-01",
            "impostor_pairs": 10,
            "genuine_pairs": 10,
            "identities": 10,
            "accuracy": 1,
            "accuracy_standard_error": 0,
            "points": points,
        }
    )


@given(st.floats(1e-7, 0.5), st.integers(1, 10**6))
def test_both_ways_agree(rate: float, references: int) -> None:
    assert fpir_of(fmr_within(rate, references), references) == pytest.approx(rate, rel=1e-6)
    # Never more than the sum, which is the bound that needs no independence.
    assert fpir_of(rate, references) <= references * rate * (1 + 1e-9)


def test_the_rate_is_what_independent_comparisons_show() -> None:
    drawn = np.random.default_rng(0).random((20_000, 300)) < 1e-3
    assert drawn.any(axis=1).mean() == pytest.approx(fpir_of(1e-3, 300), rel=0.05)


def test_probes_that_match_more_people_than_others_make_it_no_worse() -> None:
    """Half of the probes match nobody, the others twice as often."""
    uneven = (fpir_of(0.0, 300) + fpir_of(2e-3, 300)) / 2
    assert uneven < fpir_of(1e-3, 300)


@pytest.mark.parametrize(
    ("references", "threshold", "fpir"),
    [
        (0, 0.5, 0.0),
        (1, 0.5, 1e-2),
        (10, 0.8, 1 - 0.999**10),
        (100, 0.95, 1 - 0.9999**100),
        (101, 0.99, 1 - (1 - 1e-5) ** 101),
        (1000, 0.99, 1 - (1 - 1e-5) ** 1000),
        (10_000, 0.999, 1 - (1 - 1e-6) ** 10_000),
    ],
)
def test_the_more_are_searched_the_stricter(
    calibration: Calibration, references: int, threshold: float, fpir: float
) -> None:
    found = bar(calibration, references, detection=None, max_fpir=0.01)
    assert (found.threshold.value, found.threshold.source) == (threshold, "fpir")
    assert found.fpir == pytest.approx(fpir, rel=1e-4)
    assert found.fpir is not None
    assert found.fpir <= 0.01


def test_what_the_table_cannot_say_is_refused_with_what_it_can(calibration: Calibration) -> None:
    with pytest.raises(InvalidRequest, match=r"at least 0\.048771 among 50000 references"):
        bar(calibration, 50_000, detection=None, max_fpir=0.01)
    found = bar(calibration, 50_000, detection=None, max_fpir=0.048771)
    assert found.threshold.value == 0.999


def test_the_default_takes_the_strictest_there_is_and_says_what_that_means(
    calibration: Calibration,
) -> None:
    found = bar(calibration, 1_000_000, detection=None, max_fpir=None)
    assert (found.threshold.value, found.threshold.source) == (0.999, "default")
    assert found.fpir == pytest.approx(0.632, abs=1e-3)
    assert bar(calibration, 10, detection=None, max_fpir=None).threshold.value == 0.8
    loose = bar(calibration, 10, detection=None, max_fpir=None, default=0.5)
    assert loose.threshold.value == 0.5


def test_a_threshold_of_ones_own(calibration: Calibration) -> None:
    found = bar(calibration, 1000, detection=0.96, max_fpir=None)
    assert (found.threshold.value, found.threshold.source) == (0.96, "request")
    assert found.fpir == pytest.approx(1 - 0.9999**1000, rel=1e-4)
    assert bar(calibration, 1000, detection=0.1, max_fpir=None).fpir is None
    with pytest.raises(InvalidRequest, match="not both"):
        bar(calibration, 1000, detection=0.1, max_fpir=0.1)
