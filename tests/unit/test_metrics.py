"""The accuracy over folds, against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.metrics import best_threshold, fold_accuracy

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
