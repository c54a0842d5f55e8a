"""The paper's rule: strict greater-than, twice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.core.decide import decide


def scores(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float32)


def test_a_score_exactly_at_the_detection_threshold_does_not_match() -> None:
    assert decide(scores(0.5), 0.5, 0).matches == (False,)
    assert decide(scores(np.nextafter(np.float32(0.5), np.float32(1))), 0.5, 0).matches == (True,)


def test_a_share_exactly_at_the_verification_threshold_does_not_verify() -> None:
    half = decide(scores(0.9, 0.1), 0.5, 0.5)
    assert (half.matched, half.share, half.verified) == (1, 0.5, False)
    two_thirds = decide(scores(0.9, 0.9, 0.1), 0.5, 0.5)
    assert (two_thirds.matched, two_thirds.verified) == (2, True)


@pytest.mark.parametrize(("matched", "total"), [(1, 3), (2, 3), (3, 10), (7, 10), (29, 100)])
def test_a_share_written_as_a_quotient_meets_its_threshold_exactly(
    matched: int, total: int
) -> None:
    given_scores = scores(*[1.0] * matched, *[0.0] * (total - matched))
    assert not decide(given_scores, 0.5, matched / total).verified
    assert decide(given_scores, 0.5, np.nextafter(matched / total, 0)).verified


def test_thresholds_of_zero_and_one() -> None:
    assert not decide(scores(0.0, 0.0), 0.0, 0.0).verified
    assert decide(scores(1e-30, 0.0), 0.0, 0.0).verified
    assert not decide(scores(1.0, 1.0), 1.0, 0.0).verified
    assert not decide(scores(1.0, 1.0), 0.5, 1.0).verified


def test_a_float32_score_is_not_rounded_onto_a_finer_threshold() -> None:
    # 0.1 as float32 is 0.100000001490..., above the double 0.1.
    assert decide(scores(0.1), 0.1, 0).matches == (True,)
    # 0.7 as float32 is 0.699999988..., below the double 0.7.
    assert decide(scores(0.7), 0.7, 0).matches == (False,)


def test_a_score_that_is_no_number_never_matches() -> None:
    assert decide(scores(float("nan"), float("nan")), 0.0, 0.0).verified is False


def test_no_score_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        decide(scores(), 0.5, 0.5)


@settings(deadline=None)
@given(
    st.lists(st.floats(0, 1, width=32), min_size=1, max_size=30),
    st.floats(0, 1),
    st.floats(0, 1),
)
def test_raising_a_threshold_never_adds_a_match(
    values: list[float], low: float, high: float
) -> None:
    low, high = min(low, high), max(low, high)
    loose, strict = decide(scores(*values), low, 0.5), decide(scores(*values), high, 0.5)
    assert loose.matched >= strict.matched
    assert loose.verified or not strict.verified
    assert decide(scores(*values), 0.5, low).verified >= decide(scores(*values), 0.5, high).verified
