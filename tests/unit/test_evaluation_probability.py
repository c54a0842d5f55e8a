"""Reliability, Platt scaling and folds against closed forms and brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.unit.evaluation_samples import every_pair, listed
from training.data.errors import DataError
from training.evaluation.calibrating import calibration_of_pairs, default_threshold
from training.evaluation.comparisons import joined_owners
from training.evaluation.folds import accuracy_of, fold_homes, identity_folds
from training.evaluation.platt import cross_fitted, fit_platt, sigmoid
from training.evaluation.reliability import reliability_of


def gaussian_pairs(count: int, apart: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits N(+apart/2, 1) of genuine, N(-apart/2, 1) of impostor pairs.

    By Bayes' rule the logit of "genuine" at equal priors is `apart` times the value.
    """
    generator = np.random.default_rng(seed)
    same = np.arange(2 * count) < count
    return generator.normal(size=2 * count) + np.where(same, apart / 2, -apart / 2), same


@pytest.mark.parametrize("prior", [0.5, 0.1, 0.01])
def test_platt_finds_the_posterior_of_two_normal_distributions(prior: float) -> None:
    values, same = gaussian_pairs(100_000, 2.0, 1)
    scaling = fit_platt(values, same, prior)
    assert scaling.slope == pytest.approx(2.0, abs=0.06)
    assert scaling.intercept == pytest.approx(math.log(prior / (1 - prior)), abs=0.06)
    reliability = reliability_of(scaling.probability(values), same, prior)
    assert reliability.ece < 0.01


def test_platt_agrees_with_gradient_descent_on_the_same_loss() -> None:
    values, same = gaussian_pairs(40, 1.0, 2)
    found = fit_platt(values, same, 0.5)
    target = np.where(same, 41 / 42, 1 / 42)
    slope = intercept = 0.0
    for _ in range(20_000):
        error = (sigmoid(slope * values + intercept) - target) / 80
        slope -= 1.0 * float((error * values).sum())
        intercept -= 1.0 * float(error.sum())
    assert (found.slope, found.intercept) == pytest.approx((slope, intercept), abs=1e-4)


def test_platt_on_separable_pairs_stays_finite() -> None:
    found = fit_platt(np.array([-3.0, -2.0, 2.0, 3.0]), np.array([False, False, True, True]), 0.5)
    assert 0 < found.slope < 10


def test_scores_that_run_the_wrong_way_are_refused() -> None:
    values, same = gaussian_pairs(500, 2.0, 3)
    with pytest.raises(DataError, match="expected genuine pairs to score higher"):
        fit_platt(-values, same, 0.5)


def test_the_sigmoid_does_not_overflow() -> None:
    assert sigmoid(np.array([-1e4, 0.0, 1e4])).tolist() == [0.0, 0.5, 1.0]


def test_reliability_by_hand() -> None:
    scores = np.array([0.9, 0.8, 0.3, 0.2, 0.2])
    same = np.array([True, False, False, True, False])
    found = reliability_of(scores, same, 0.5)
    weights = [1 / 4, 1 / 6, 1 / 6, 1 / 4, 1 / 6]
    truth = [1, 0, 0, 1, 0]
    rows = list(zip(weights, scores, truth, strict=True))
    assert found.brier == pytest.approx(sum(w * (s - t) ** 2 for w, s, t in rows))
    assert found.log_loss == pytest.approx(
        -sum(w * math.log(s if t else 1 - s) for w, s, t in rows)
    )
    # In fifteen bins only the last two share one: 0.2 with half a genuine share by weight.
    share = (1 / 4) / (1 / 4 + 1 / 6)
    by_bin = [(1 / 4, 0.1), (1 / 6, 0.8), (1 / 6, 0.3), (5 / 12, abs(0.2 - share))]
    assert found.ece == pytest.approx(sum(w * d for w, d in by_bin))
    assert [one.pairs for one in found.bins] == [2, 1, 1, 1]


def test_the_brier_score_of_knowing_nothing_is_that_of_the_prior() -> None:
    same = np.array([True] * 3 + [False] * 9)
    for prior in (0.5, 0.1):
        found = reliability_of(np.full(12, prior), same, prior)
        assert found.brier == pytest.approx(prior * (1 - prior))
        assert found.ece == pytest.approx(0, abs=1e-12)


def test_a_sure_and_wrong_score_has_a_finite_loss() -> None:
    found = reliability_of(np.array([0.0, 1.0]), np.array([True, False]))
    assert (found.brier, found.ece) == (1.0, 1.0)
    assert found.log_loss == pytest.approx(-math.log(1e-7))


def test_held_out_figures_come_from_people_who_were_not_fitted_on() -> None:
    """One fold's people score upside down: only a fit on the others can be wrong about them."""
    pairs = every_pair([4] * 20, 1)
    homes = fold_homes(pairs, 4)
    logits = np.where(pairs.same, 2.0, -2.0) + np.random.default_rng(0).normal(size=len(pairs.same))
    odd = (homes == 2).all(axis=1)
    flipped = np.where(odd, -logits, logits)
    right, wrong = (
        cross_fitted(values, pairs.same, homes, 0.5).after for values in (logits, flipped)
    )
    assert right.log_loss < 0.2
    assert wrong.log_loss > right.log_loss + 0.5


def test_scaling_mends_scores_that_are_too_sure() -> None:
    pairs = every_pair([4] * 80, 1)
    values = np.where(pairs.same, 1.0, -1.0) + np.random.default_rng(5).normal(size=len(pairs.same))
    found = cross_fitted(6 * values, pairs.same, fold_homes(pairs, 5), 0.5)
    assert found.folds == 5
    assert found.after.ece < 0.03 < found.before.ece
    assert found.after.brier < found.before.brier
    assert found.genuine_pairs == int(pairs.same.sum())


def test_folds_share_no_identity() -> None:
    pairs = every_pair([5, 1, 1, 4, 3, 2, 2, 6], 0)
    folds = identity_folds(pairs, 3)
    home: dict[int, int] = {}
    for fold, rows in zip(folds, pairs.rows, strict=True):
        if fold >= 0:
            for row in rows:
                assert home.setdefault(int(pairs.owner[row]), int(fold)) == fold
    assert set(folds[pairs.same].tolist()) == {0, 1, 2}


@pytest.mark.parametrize(
    ("images", "said"),
    [
        ([3] * 20, "10 folds of identities"),
        ([3] * 5, "2 folds of identities"),
        ([3, 3], "6 folds of pairs"),
        ([2, 5], "10 folds of pairs"),
        ([2, 1], "no folds"),
    ],
)
def test_the_accuracy_says_how_it_was_come_by(images: list[int], said: str) -> None:
    judged = accuracy_of(every_pair(images, 0))
    assert judged.protocol.startswith(said)
    assert 0.5 < judged.accuracy.mean <= 1


def test_pictures_that_genuine_pairs_join_are_one_person() -> None:
    owner = joined_owners(6, [(0, 1), (1, 2), (4, 5)])
    assert owner[0] == owner[1] == owner[2]
    assert owner[4] == owner[5]
    assert len({int(number) for number in owner}) == 3


def test_the_default_threshold_rests_on_ten_false_matches() -> None:
    pairs = every_pair([5] * 12, 0)  # 1,650 impostor pairs: 16 at 1e-2, one at 1e-3
    calibration = calibration_of_pairs(pairs, "made up")
    assert [point.fmr for point in calibration.points] == [1e-1, 1e-2, 1e-3]
    assert default_threshold(calibration) == calibration.points[1].threshold
    assert "6 folds of identities" in calibration.protocol


def test_a_calibration_of_a_list_of_pairs() -> None:
    pairs = listed([0.9, 0.8, 0.7], [0.01 * n for n in range(40)])
    calibration = calibration_of_pairs(pairs, "a list", missed=2)
    assert calibration.points[0].fmr == 0.1
    assert calibration.points[0].threshold == pytest.approx(0.35)
    assert "each pair taken for independent" in calibration.protocol
    assert "without a face: 2" in calibration.protocol


@pytest.mark.parametrize(
    ("images", "said"),
    [
        ([1] * 8, "expected at least one genuine pair .* found none among 8 pictures of 8 ident"),
        ([5], "expected at least 10 impostor pairs .* found 0 among 5 pictures of 1 identity"),
        ([3, 3], "expected at least 10 impostor pairs .* found 9"),
    ],
)
def test_too_few_pairs_are_one_sentence(images: list[int], said: str) -> None:
    with pytest.raises(DataError, match=said):
        calibration_of_pairs(every_pair(images, 0), "few")
