"""Error rates against counting by hand, on sets small enough to count."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.metrics import Pairs, best_threshold, fold_accuracy, operating_points

# Few different values, so that equal scores come up.
SCORE = st.sampled_from([0.0, 0.1, 0.25, 0.25000003, 0.5, 0.75, 1.0])


def right_verdicts(scores: np.ndarray, same: np.ndarray, threshold: float) -> int:
    return sum(
        (float(score) > threshold) == bool(truth) for score, truth in zip(scores, same, strict=True)
    )


@settings(deadline=None)
@given(st.lists(st.tuples(SCORE, st.booleans()), min_size=1, max_size=12))
def test_the_best_threshold_is_as_good_as_any(pairs: list[tuple[float, bool]]) -> None:
    scores = np.array([score for score, _ in pairs], dtype=np.float32)
    same = np.array([truth for _, truth in pairs])
    candidates = {-1.0, *(float(score) for score in scores)}
    most = max(right_verdicts(scores, same, threshold) for threshold in candidates)
    assert right_verdicts(scores, same, best_threshold(scores, same)) == most


def test_the_best_threshold_lies_midway() -> None:
    scores = np.array([0.2, 0.9, 0.4, 0.6], dtype=np.float32)
    same = np.array([False, True, False, True])
    assert best_threshold(scores, same) == pytest.approx(0.5)


@pytest.mark.parametrize("start", [0.5, np.nextafter(np.float32(0.5), np.float32(1))])
def test_two_neighbouring_floats_are_told_apart(start: float) -> None:
    """Midway between them lies no float32; rounding may go either way."""
    low = np.float32(start)
    high = np.nextafter(low, np.float32(1))
    scores = np.array([low, high] * 4, dtype=np.float32)
    same = np.array([False, True] * 4)
    folds = np.repeat(np.arange(4), 2)
    assert fold_accuracy(scores, same, folds).mean == 1.0


def test_fold_accuracy_uses_the_threshold_of_the_other_folds() -> None:
    # Fold 2 lies elsewhere: the others' threshold of 0.5 fails it by half.
    scores = np.array([0.4, 0.6, 0.4, 0.6, 0.7, 0.9], dtype=np.float32)
    same = np.array([False, True] * 3)
    folds = np.array([0, 0, 1, 1, 2, 2])
    result = fold_accuracy(scores, same, folds)
    shares = [1.0, 1.0, 0.5]
    by_hand = []
    for fold in range(3):
        held = folds == fold
        threshold = best_threshold(scores[~held], same[~held])
        by_hand.append(right_verdicts(scores[held], same[held], threshold) / 2)
    assert sorted(by_hand) == sorted(shares)
    assert result.mean == pytest.approx(np.mean(by_hand))
    assert result.standard_error == pytest.approx(np.std(by_hand, ddof=1) / np.sqrt(3))


def every_pair(images: list[int], seed: int) -> tuple[Pairs, np.ndarray]:
    """All pairs of a small set of identities with made-up scores."""
    generator = np.random.default_rng(seed)
    owner = np.repeat(np.arange(len(images)), images)
    genuine, of, impostor, who = [], [], [], []
    for one, other in itertools.combinations(range(len(owner)), 2):
        if owner[one] == owner[other]:
            genuine.append(generator.beta(8, 2))
            of.append(owner[one])
        else:
            impostor.append(generator.beta(2, 8))
            who.append((owner[one], owner[other]))
    scores = np.array(impostor, dtype=np.float32)
    order = np.argsort(-scores)
    pairs = Pairs(
        genuine=np.array(genuine, dtype=np.float32),
        genuine_identity=np.array(of),
        impostor=scores[order],
        impostor_identities=np.array(who)[order],
        images=np.array(images),
    )
    return pairs, scores


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rate", [0.3, 0.1, 0.05])
def test_operating_points_against_counting(seed: int, rate: float) -> None:
    pairs, impostor = every_pair([3, 1, 4, 2, 5, 2], seed)
    assert pairs.impostor_pairs == len(impostor)
    (point,) = operating_points(pairs, (rate,), seed=seed)
    false = sum(float(score) > point.threshold for score in impostor)
    missed = sum(float(score) <= point.threshold for score in pairs.genuine)
    assert point.fmr_measured == pytest.approx(false / len(impostor))
    assert point.fnmr == pytest.approx(missed / len(pairs.genuine))
    assert point.fmr_measured <= rate
    # The lowest threshold that keeps the rate: the next lower score breaks it.
    lower = [float(score) for score in impostor if float(score) < point.threshold]
    assert sum(float(score) > max(lower) for score in impostor) / len(impostor) > rate
    assert point.fmr_interval[0] <= point.fmr_measured <= point.fmr_interval[1]
    assert point.fnmr_interval[0] <= point.fnmr <= point.fnmr_interval[1]


def test_with_all_scores_equal_nobody_matches() -> None:
    pairs, _ = every_pair([3, 3, 3], 0)
    level = Pairs(
        genuine=np.full_like(pairs.genuine, 0.5),
        genuine_identity=pairs.genuine_identity,
        impostor=np.full_like(pairs.impostor, 0.5),
        impostor_identities=pairs.impostor_identities,
        images=pairs.images,
    )
    (point,) = operating_points(level, (0.1,))
    assert (point.threshold, point.fmr_measured, point.fnmr) == (0.5, 0.0, 1.0)


def test_the_table_comes_from_loose_to_strict_and_is_repeatable() -> None:
    pairs, _ = every_pair([4] * 10, 1)
    points = operating_points(pairs, (0.2, 0.1, 0.02))
    thresholds = [point.threshold for point in points]
    assert thresholds == sorted(thresholds)
    assert points == operating_points(pairs, (0.2, 0.1, 0.02))


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Independent identities: the bootstrap's 95 % must not be far off."""
    generator = np.random.default_rng(9)
    threshold_rate, truth, covered = 0.1, 0.2, 0
    for trial in range(60):
        images = np.full(60, 2)
        genuine = np.where(generator.random(60) < truth, 0.0, 0.9).astype(np.float32)
        impostor = np.sort(generator.uniform(0.1, 0.5, 60 * 59 * 2).astype(np.float32))[::-1]
        who = np.array([p for p in itertools.combinations(range(60), 2) for _ in range(4)])
        pairs = Pairs(genuine, np.arange(60), impostor, generator.permutation(who), images)
        (point,) = operating_points(pairs, (threshold_rate,), seed=trial)
        covered += point.fnmr_interval[0] <= truth <= point.fnmr_interval[1]
    assert 48 <= covered <= 60


def test_too_few_impostors_for_a_rate_are_refused() -> None:
    pairs, _ = every_pair([2, 2, 2], 0)
    with pytest.raises(ValueError, match="too few for an FMR of 1e-06"):
        operating_points(pairs, (1e-6,))
