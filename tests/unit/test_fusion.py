"""The rules that make one score of several, against their definitions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.fusion import Fused, centroid, fuse
from model.types import Array

RULES: tuple[Fused, ...] = ("max", "mean")
SCORES = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=12)
INNER = st.lists(st.floats(2**-10, 1 - 2**-10, width=32), min_size=1, max_size=12)


def array(*values: float) -> Array:
    return np.array(values, dtype=np.float32)


def mean_by_hand(values: list[float]) -> float:
    middle = math.fsum(math.log(v / (1 - v)) for v in values) / len(values)
    return 1 / (1 + math.exp(-middle))


@settings(deadline=None)
@given(SCORES)
def test_max_is_the_best_score_itself(values: list[float]) -> None:
    assert float(fuse("max", array(*values))) == max(values)


@settings(deadline=None)
@given(INNER)
def test_mean_is_of_the_log_odds(values: list[float]) -> None:
    assert float(fuse("mean", array(*values))) == pytest.approx(mean_by_hand(values), abs=1e-6)


@settings(deadline=None)
@given(SCORES, st.randoms(use_true_random=False))
def test_no_order_and_no_bound_is_broken(values: list[float], random: object) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    for rule in RULES:
        fused = float(fuse(rule, array(*values)))
        assert min(values) - 2e-7 <= fused <= max(values) + 2e-7
        assert float(fuse(rule, array(*shuffled))) == pytest.approx(fused, abs=1e-6)


def test_one_score_is_left_as_it_is() -> None:
    for value in (0.2, 0.5, 0.96, 0.9999):
        assert float(fuse("max", array(value))) == np.float32(value)
        assert float(fuse("mean", array(value))) == pytest.approx(value, abs=1e-7)


def test_scores_of_zero_and_one_are_finite_and_cancel() -> None:
    assert float(fuse("mean", array(0, 1))) == pytest.approx(0.5)
    assert float(fuse("mean", array(0, 0))) < 1e-6
    assert float(fuse("mean", array(1, 1))) > 1 - 1e-6
    # One sure reference is not outvoted by one that says nothing.
    assert float(fuse("mean", array(0.9999, 0.5))) > 0.98


def test_references_are_the_last_axis() -> None:
    scores = np.random.default_rng(1).uniform(0.01, 0.99, (3, 4, 5)).astype(np.float32)
    for rule in RULES:
        fused = fuse(rule, scores)
        assert fused.shape == (3, 4)
        assert fused.dtype == np.float32
        alone = fuse(rule, scores[1, 2])
        assert fused[1, 2] == pytest.approx(float(alone))


def units(count: int, size: int, seed: int) -> Array:
    rows = np.random.default_rng(seed).normal(size=(count, size)) + 1
    return np.array(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def centroid_by_hand(rows: Array, weights: list[float]) -> list[float]:
    total = math.fsum(weights)
    mean = [
        math.fsum(w * float(row[d]) for w, row in zip(weights, rows, strict=True)) / total
        for d in range(rows.shape[1])
    ]
    lengths = [math.sqrt(math.fsum(float(x) ** 2 for x in row)) for row in rows]
    wanted = math.fsum(w * n for w, n in zip(weights, lengths, strict=True)) / total
    length = math.sqrt(math.fsum(x * x for x in mean))
    return [x * wanted / length for x in mean]


@pytest.mark.parametrize("count", [1, 2, 7])
def test_centroid_is_the_weighted_mean_brought_to_their_length(count: int) -> None:
    generator = np.random.default_rng(count)
    weights = generator.uniform(0.1, 1, count).astype(np.float32)
    # Of unit length, and of lengths of their own, as the paper's network has them.
    for rows in (units(count, 16, count), generator.normal(2, 3, (count, 16)).astype(np.float32)):
        template = centroid(rows, weights)
        assert template.dtype == np.float32
        assert template == pytest.approx(
            np.array(centroid_by_hand(rows, [float(w) for w in weights])), rel=1e-4, abs=1e-5
        )
    assert np.linalg.norm(centroid(units(count, 16, count), weights)) == pytest.approx(1, abs=1e-6)


def test_the_centroid_of_one_is_itself_whatever_its_weight() -> None:
    row = units(1, 128, 3)
    for weight in (0.0, 1e-3, 1.0):
        assert centroid(row, array(weight)) == pytest.approx(row[0], abs=1e-6)


def test_a_reference_without_weight_does_not_count_and_all_without_count_alike() -> None:
    rows = units(3, 8, 4)
    assert centroid(rows, array(1, 0, 0)) == pytest.approx(rows[0], abs=1e-6)
    assert centroid(rows, array(0, 0, 0)) == pytest.approx(centroid(rows, array(1, 1, 1)), abs=1e-6)
    assert centroid(rows, array(2, 4, 6)) == pytest.approx(centroid(rows, array(1, 2, 3)), abs=1e-6)


def test_references_that_cancel_give_no_infinity() -> None:
    rows = np.stack([units(1, 8, 5)[0], -units(1, 8, 5)[0]])
    assert np.isfinite(centroid(rows, array(1, 1))).all()
