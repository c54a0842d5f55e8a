"""What must hold of every decision: no order of references, and stricter is never looser."""

from __future__ import annotations

import random
from typing import get_args

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from model.contract import Fusion
from model.fusion import Fused, centroid, fuse
from model.types import Array
from service.core.decide import Decision, decide, needed

SCORES = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=40)
SHARE = st.floats(0, 1)
TWO = st.lists(SHARE, min_size=2, max_size=2)
RULES: tuple[Fused, ...] = get_args(Fused)
RULE = st.sampled_from(["share", *RULES])
many = settings(deadline=None, max_examples=400)


def array(values: list[float]) -> Array:
    return np.array(values, dtype=np.float32)


def decided(rule: str, values: list[float], detection: float, verification: float) -> Decision:
    """As the service decides on a probe's scores, but for the centroid's own score."""
    scores = array(values)
    fused = None if rule == "share" else float(fuse(rule, scores))  # type: ignore[arg-type]
    return decide(scores, detection, verification, fused_score=fused)


def test_all_rules_are_here() -> None:
    assert {"share", "centroid", *RULES} == set(get_args(Fusion))


@many
@given(RULE, SCORES, SHARE, SHARE, st.randoms(use_true_random=False))
def test_the_order_of_references_does_not_matter(
    rule: str, values: list[float], detection: float, verification: float, chance: random.Random
) -> None:
    order = list(range(len(values)))
    chance.shuffle(order)
    one = decided(rule, values, detection, verification)
    other = decided(rule, [values[i] for i in order], detection, verification)
    assert other.matches == tuple(one.matches[i] for i in order)
    assert other.share == one.share
    if rule == "mean":
        # A sum in another order may differ in its last digit, and at the threshold so
        # does the verdict.
        assert one.fused_score is not None
        assert other.fused_score is not None
        assert abs(one.fused_score - other.fused_score) <= 2**-23
        if abs(one.fused_score - detection) > 2**-23:
            assert other.verified == one.verified
    else:
        assert other.verified == one.verified
        assert other.fused_score == one.fused_score


@many
@given(RULE, SCORES, TWO, TWO)
def test_stricter_in_either_or_both_thresholds_lets_nobody_more_in(
    rule: str, values: list[float], detection: list[float], verification: list[float]
) -> None:
    (low, high), (few, most) = sorted(detection), sorted(verification)
    loose = decided(rule, values, low, few)
    for strict in (
        decided(rule, values, high, few),
        decided(rule, values, low, most),
        decided(rule, values, high, most),
    ):
        assert strict.verified <= loose.verified
        assert strict.matched <= loose.matched
        assert not set(np.flatnonzero(strict.matches)) - set(np.flatnonzero(loose.matches))


@many
@given(RULE, SCORES, SHARE, SHARE, st.data())
def test_a_higher_score_never_refuses_who_was_verified(
    rule: str, values: list[float], detection: float, verification: float, data: st.DataObject
) -> None:
    better = list(values)
    at = data.draw(st.integers(0, len(values) - 1))
    better[at] = data.draw(st.floats(values[at], 1, width=32))
    before = decided(rule, values, detection, verification)
    after = decided(rule, better, detection, verification)
    assert after.verified >= before.verified
    assert after.matched >= before.matched


@many
@given(SCORES, SHARE, SHARE)
def test_the_share_rule_is_the_count_that_is_needed(
    values: list[float], detection: float, verification: float
) -> None:
    decision = decided("share", values, detection, verification)
    assert decision.matched == sum(value > detection for value in values)
    assert decision.verified == (decision.matched >= needed(len(values), verification))


@many
@given(st.integers(1, 200), SHARE, SHARE)
def test_what_is_needed_grows_with_the_threshold(k: int, a: float, b: float) -> None:
    low, high = needed(k, min(a, b)), needed(k, max(a, b))
    assert 1 <= low <= high <= k + 1
    assert needed(k, 1) == k + 1


@many
@given(SCORES, SHARE, SHARE)
def test_one_reference_decides_alike_by_every_rule(
    values: list[float], detection: float, verification: float
) -> None:
    one = values[:1]
    # As near to 0 and 1 as float32 can tell, and rounded on the way to log-odds and back.
    if min(abs(one[0] - detection), one[0], 1 - one[0]) < 1e-6 or verification == 1:
        return
    assert len({decided(rule, one, detection, verification).verified for rule in RULES}) == 1
    assert decided("share", one, detection, verification).verified == (one[0] > detection)


@many
@given(
    st.integers(1, 12),
    st.integers(2, 16),
    st.integers(0, 2**32 - 1),
    st.randoms(use_true_random=False),
)
def test_the_order_of_references_does_not_move_their_centroid(
    count: int, size: int, number: int, chance: random.Random
) -> None:
    generator = np.random.default_rng(number)
    # People are alike: references that cancel out have no direction to agree on.
    rows = (generator.normal(size=(count, size)) + 2).astype(np.float32)
    weights = generator.uniform(0, 1, count).astype(np.float32)
    order = list(range(count))
    chance.shuffle(order)
    moved = centroid(rows[order], weights[order]) - centroid(rows, weights)
    assert float(np.abs(moved).max()) < 1e-4
