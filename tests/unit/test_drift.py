"""The rules of the drift report, against published examples, tables and simulation."""

from __future__ import annotations

import random

import pytest

from service.core.drift import _chi_squared_99, shift_of, stability_of, wilson
from service.core.period import DAY_US, Event, period_of


@pytest.mark.parametrize(
    ("now", "before", "low", "high"),
    [
        # Newcombe (1998), table II, method 10: his examples (a) and (c).
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((5, 56), (0, 29), -0.0381, 0.1926),
    ],
)
def test_the_interval_of_a_difference_is_the_published_one(
    now: tuple[int, int], before: tuple[int, int], low: float, high: float
) -> None:
    # Larger samples are asked for before anything is said; the formula is the same.
    p, q = now[0] / now[1], before[0] / before[1]
    (p_low, p_high), (q_low, q_high) = wilson(*now), wilson(*before)
    assert p - q - ((p - p_low) ** 2 + (q_high - q) ** 2) ** 0.5 == pytest.approx(low, abs=1e-4)
    assert p - q + ((p_high - p) ** 2 + (q - q_low) ** 2) ** 0.5 == pytest.approx(high, abs=1e-4)
    scaled = shift_of((now[0] * 100, now[1] * 100), (before[0] * 100, before[1] * 100))
    assert scaled.low < p - q < scaled.high


def test_the_quantile_is_that_of_the_tables() -> None:
    for freedom, expected in ((1, 6.635), (5, 15.086), (10, 23.209), (14, 29.141)):
        assert _chi_squared_99(freedom) == pytest.approx(expected, rel=0.02)


def test_few_are_not_judged() -> None:
    assert shift_of((10, 20), (190, 200)).mark == "too few"
    assert stability_of([0.1] * 20, [0.9] * 500).mark == "too few"


def test_a_change_must_be_both_real_and_large() -> None:
    # Real, and too small to matter.
    assert shift_of((9_000, 10_000), (9_100, 10_000)).mark == "steady"
    # Large, but it may be chance.
    assert shift_of((180, 200), (187, 200)).mark == "steady"
    assert shift_of((8_700, 10_000), (9_000, 10_000)).mark == "look"
    assert shift_of((8_000, 10_000), (9_000, 10_000)).mark == "worry"


def scores(chance: random.Random, count: int, shift: float = 0.0) -> list[float]:
    """As of verifications: most near 1, some strangers near 0."""
    return [
        min(1.0, max(0.0, chance.betavariate(12, 0.4) - shift))
        if chance.random() < 0.9
        else chance.betavariate(0.4, 12)
        for _ in range(count)
    ]


def test_without_a_change_chance_is_rarely_taken_for_one() -> None:
    chance = random.Random(7)
    found = [
        stability_of(scores(chance, 300), scores(chance, 300), bounds=(0.1, 0.5, 0.9, 0.99))
        for _ in range(400)
    ]
    above = sum(one.psi > one.chance for one in found)
    assert above <= 12  # 4 are expected
    assert sum(one.mark == "look" for one in found) <= above
    assert not any(one.mark == "worry" for one in found)


def test_an_injected_shift_is_found() -> None:
    chance = random.Random(11)
    before = scores(chance, 2_000)
    assert stability_of(scores(chance, 2_000), before).mark == "steady"
    assert stability_of(scores(chance, 2_000, shift=0.05), before).mark == "worry"


def test_what_somebody_has_spoilt_is_passed_over() -> None:
    found = period_of(
        [
            Event(DAY_US, "verify", "verified", {"model": 3, "scores": "none", "matched": None}),
            Event(DAY_US, "verify", "not_verified", {"model": "m", "scores": [0.5, True, "x"]}),
            Event(DAY_US, "verify", "no_face", {}),
            Event(DAY_US, "enroll", "ok", {"accepted": True, "rejected_no_face": "many"}),
            Event(DAY_US, "export", "ok", {}),
        ]
    )
    assert found.models["unknown"].verified == {1: (1, 1)}
    assert list(found.models["m"].best) == [0.5]
    assert found.problems == {"no_face": 1}
    assert found.images == 0
