"""Claimed intervals hold on people whom the threshold was not fitted on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.evaluation_samples import every_pair, listed
from tests.unit.verdict_samples import (
    AXES,
    compared,
    gallery_of,
    people,
    pictures_of,
    true_pair_rate,
)
from training.evaluation.attempts import pair_attempts
from training.evaluation.held_out import claims, coverage
from training.evaluation.rates import operating_points
from training.evaluation.refit import fitted, independent
from training.evaluation.verdict_attempts import verdict_attempts
from training.pictures import Embedded


def families(count: int, images: int, seed: int) -> Embedded:
    """People of a few families, alike within one: false matches are not independent."""
    generator = np.random.default_rng(seed)
    family = generator.normal(size=(count // 8, AXES))
    centres = family[np.arange(count) % len(family)] + 1.2 * generator.normal(size=(count, AXES))
    made = people([images] * count, seed)
    rows = pictures_of(np.repeat(centres, images, axis=0), generator)
    return replace(made, embeddings=rows)


def test_the_true_rate_of_many_worlds() -> None:
    """In closed form, and on other people of the same world."""
    true = new = missed = 0
    for world in range(30):
        ours = pair_attempts(compared(people([5] * 40, world)), 1e-2)
        others = pair_attempts(compared(people([5] * 40, 1000 + world)), 1e-2)
        (row,) = fitted(ours, (1e-2,), world)
        low, high = row.fmr_interval
        true += low <= true_pair_rate(row.threshold) <= high
        new += low <= others.false_rate(row.threshold) <= high
        missed += row.fnmr_interval[0] <= others.miss_rate(row.threshold) <= row.fnmr_interval[1]
    # Of 30 at 95 %, fewer than 25 would come once in 300 times.
    assert min(true, new, missed) >= 25


def test_halves_of_people_who_are_alike_in_families() -> None:
    comparisons = compared(families(120, 5, 3))
    for one in coverage(pair_attempts(comparisons, 1e-2), (1e-2, 1e-3), 25):
        assert one.splits == 25
        assert one.mean_fmr == pytest.approx(one.fmr, rel=0.25)
        assert one.fmr_held >= 0.85
        assert one.fnmr_held >= 0.85


def test_intervals_are_no_wider_than_of_use() -> None:
    """Half the people, 15,600 pairs at FMR 1e-2: the rate is known to within a factor of two."""
    found = claims(pair_attempts(compared(people([5] * 72, 6)), 1e-2), (1e-2,), 0)
    low, high = found[0].claimed.fmr_interval
    assert 0.005 < low < 0.01 < high < 0.02


def test_a_half_knows_nothing_of_the_other() -> None:
    """The claim is the same, whatever the others' scores are."""
    attempts = verdict_attempts(gallery_of([6] * 60, 2), 3)["max"]
    (before,) = claims(attempts, (1e-2,), 5)
    half = np.random.default_rng(5).permutation(60)[:30]
    theirs = ~np.isin(attempts.people, half).all(axis=1)
    changed = replace(attempts, impostor=np.where(theirs, np.float32(1), attempts.impostor))
    order = np.argsort(-changed.impostor, kind="stable")
    changed = replace(changed, impostor=changed.impostor[order], people=changed.people[order])
    (after,) = claims(changed, (1e-2,), 5)
    assert after.claimed == before.claimed
    assert after.fmr > before.fmr


def test_independent_pairs_against_their_exact_distribution() -> None:
    """The rate above the (m + 1)-th highest of N scores is Beta(m + 1, N - m).

    Its count among N new ones has the mean N (m + 1) / (N + 1) and, for N much larger
    than m, twice the variance of m + 1 events of Poisson's.
    """
    generator = np.random.default_rng(0)
    scores = np.sort(generator.random(20_000).astype(np.float32))[::-1]
    (low, high), _ = independent(scores, scores, 20_000, 200)
    spread = 1.96 * np.sqrt(2 * 201) / 20_000
    assert low == pytest.approx(201 / 20_000 - spread, abs=5e-4)
    assert high == pytest.approx(201 / 20_000 + spread, abs=5e-4)


def test_a_list_of_pairs_holds_on_another_list() -> None:
    held = 0
    for world in range(40):
        generator = np.random.default_rng(world)
        ours, others = (
            listed(generator.beta(6, 2, 200).tolist(), generator.beta(2, 6, 2000).tolist())
            for _ in range(2)
        )
        (point,) = operating_points(ours, (1e-2,), seed=world)
        rate = float(np.mean(others.impostor > point.threshold))
        held += point.fmr_interval[0] <= rate <= point.fmr_interval[1]
    assert held >= 34


def test_too_few_attempts_for_a_rate() -> None:
    attempts = pair_attempts(every_pair([2, 2, 2, 2], 0), 0.1)
    with pytest.raises(ValueError, match="24 impostor attempts are too few"):
        fitted(attempts, (1e-3,))
    assert fitted(attempts, ()) == []
