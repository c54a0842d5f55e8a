"""The sequential test: when it ends, and what it never does."""

from __future__ import annotations

import math
from itertools import takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.core.sequential import ALPHA, AT_LEAST, BETA, PATIENCE_S, WEIGHT, Evidence

LATE = PATIENCE_S + 1


def after(verdicts: str, fmr: float | None = 1e-4, fnmr: float | None = 0.02) -> Evidence:
    """After frames that match (+) or do not (-)."""
    evidence = Evidence()
    for verdict in verdicts:
        evidence.add(verdict == "+", fmr=fmr, fnmr=fnmr)
    return evidence


def needed(sign: str, word: str, fmr: float | None = 1e-4, fnmr: float | None = 0.02) -> int:
    """Frames of one kind until the verdict."""
    counts = takewhile(lambda n: after(sign * n, fmr, fnmr).verdict(LATE) != word, range(1, 1000))
    return 1 + sum(1 for _ in counts)


def test_it_ends_where_wald_says() -> None:
    ratio = math.log(0.98 / 1e-4)
    assert needed("+", "verified") == math.ceil(math.log((1 - BETA) / ALPHA) / (WEIGHT * ratio))
    against = -math.log(0.02 / (1 - 1e-4))
    expected = math.ceil(-math.log(BETA / (1 - ALPHA)) / (WEIGHT * against))
    assert needed("-", "not_verified") == expected


def test_a_looser_threshold_takes_more_frames() -> None:
    rates = (1e-6, 1e-4, 1e-3, 1e-2, 0.1, None)
    found = [needed("+", "verified", fmr=fmr) for fmr in rates]
    assert found == sorted(found)
    assert found[0] >= AT_LEAST
    assert found[-1] > 30


def test_nobody_is_given_up_at_once() -> None:
    evidence = after("-" * 50)
    assert evidence.verdict(0) == "undecided"
    assert evidence.verdict(PATIENCE_S) == "not_verified"
    # Who comes nearer in time is still verified, as soon as most frames match.
    for _ in range(51):
        evidence.add(True, fmr=1e-4, fnmr=0.02)
    assert evidence.verdict(LATE) == "verified"


@given(st.text("+-", max_size=60), st.sampled_from([1e-9, 1e-4, 1e-2, 0.5, None]))
def test_never_by_few_frames_or_by_half_of_them(verdicts: str, fmr: float | None) -> None:
    evidence = after(verdicts, fmr)
    assert (evidence.matching, evidence.frames) == (verdicts.count("+"), len(verdicts))
    assert -1 <= evidence.share <= 1
    if evidence.verdict(LATE) == "verified":
        assert evidence.matching >= AT_LEAST
        assert 2 * evidence.matching > evidence.frames
        assert evidence.share == pytest.approx(1)


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_rates_of_a_small_table_are_no_certainty(rate: float) -> None:
    assert math.isfinite(after("+-", fmr=rate, fnmr=rate).value)
