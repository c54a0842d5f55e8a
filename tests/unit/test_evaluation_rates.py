"""Error rates, intervals and curves against counting by hand, published values and brute force."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.evaluation_samples import every_pair, listed
from training.evaluation.cautions import cautions_of
from training.evaluation.comparisons import Comparisons
from training.evaluation.curves import curve_of, equal_error, histogram_of
from training.evaluation.intervals import draws_of, impostor_interval, quantiles, wilson
from training.evaluation.plots import (
    INK,
    plot_det,
    plot_histogram,
    plot_reliability,
    plot_roc,
    save_png,
    svg_of,
)
from training.evaluation.rates import measurable, operating_points, rates_at
from training.evaluation.reliability import reliability_of

SCORE = st.sampled_from([0.0, 0.1, 0.25, 0.25000003, 0.5, 0.75, 1.0])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rate", [0.3, 0.1, 0.05])
def test_operating_points_against_counting(seed: int, rate: float) -> None:
    pairs = every_pair([3, 1, 4, 2, 5, 2], seed)
    impostor = pairs.scores[~pairs.same]
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


def test_counts_precision_and_recall_by_hand() -> None:
    pairs = listed([0.9, 0.8, 0.5, 0.2], [0.7, 0.5, 0.1, 0.0, 0.0, 0.0])
    (found,) = rates_at(pairs, [0.5])
    # A score of exactly the threshold does not match.
    assert (found.true_matches, found.false_non_matches) == (2, 2)
    assert (found.false_matches, found.true_non_matches) == (1, 5)
    assert (found.fmr, found.fnmr, found.recall) == (1 / 6, 0.5, 0.5)
    assert found.precision == pytest.approx(2 / 3)
    assert found.precision_even == pytest.approx(0.5 / (0.5 + 1 / 6))
    assert found.fmr_interval == wilson(1, 6)
    assert found.fnmr_interval == wilson(2, 4)


@given(st.integers(0, 60), st.integers(1, 60))
def test_wilson_holds_what_a_score_test_does_not_reject(errors: int, more: int) -> None:
    """Its ends are where the rate lies 1.96 standard errors of the end itself away."""
    trials = errors + more
    low, high = wilson(errors, trials)
    rate = errors / trials
    for end in (low, high):
        if 1e-9 < end < 1 - 1e-9:
            assert abs(rate - end) == pytest.approx(
                1.959964 * math.sqrt(end * (1 - end) / trials), rel=1e-5
            )
    assert 0 <= low <= rate <= high <= 1


def test_wilson_against_published_values_and_without_trials() -> None:
    # Newcombe (1998), table I: 81/263, 15/148, 0/20, 1/29.
    for errors, trials, low, high in (
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ):
        assert wilson(errors, trials) == pytest.approx((low, high), abs=6e-5)
    assert wilson(0, 0) == (0.0, 1.0)


def test_the_bootstrap_is_that_of_drawing_people_one_by_one() -> None:
    pairs = every_pair([3, 1, 4, 2, 5, 2], 3, apart=3.0)
    threshold = 0.4
    draws = draws_of(pairs.images > 0, 0)
    false = pairs.owner[pairs.rows[~pairs.same & (pairs.scores > threshold)]]
    resampled = []
    for drawn in draws:
        hits = total = 0
        for (one, other), same, score in zip(pairs.rows, pairs.same, pairs.scores, strict=True):
            if not same:
                weight = drawn[pairs.owner[one]] * drawn[pairs.owner[other]]
                total += weight
                hits += weight * (score > threshold)
        resampled.append(hits / total if total else np.nan)
    by_hand = quantiles(np.array(resampled))
    low, high = impostor_interval(false, pairs.images, draws)
    floor = wilson(len(false), int((~pairs.same).sum()))
    assert low == pytest.approx(min(by_hand[0], floor[0]), abs=1e-6)
    assert high == pytest.approx(max(by_hand[1], floor[1]), abs=1e-6)


def test_no_error_does_not_mean_certainty() -> None:
    (found,) = rates_at(every_pair([3, 3, 3], 0), [1.0])
    assert found.false_matches == 0
    assert found.fmr_interval == wilson(0, 27)
    assert found.fmr_interval[1] > 0.1


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    """Independent identities: the bootstrap's 95 % must not be far off."""
    generator = np.random.default_rng(9)
    truth, covered = 0.2, 0
    for trial in range(60):
        pairs = every_pair([2] * 60, trial)
        drawn = np.where(generator.random(60) < truth, 0.0, 1.0).astype(np.float32)
        scores = np.array(pairs.scores)
        scores[pairs.same] = drawn
        (found,) = rates_at(replace(pairs, scores=scores), [0.5], seed=trial)
        covered += found.fnmr_interval[0] <= truth <= found.fnmr_interval[1]
    assert 48 <= covered <= 60


def test_with_all_scores_equal_nobody_matches() -> None:
    pairs = every_pair([3, 3, 3], 0)
    level = replace(pairs, scores=np.full_like(pairs.scores, 0.5))
    (point,) = operating_points(level, (0.1,))
    assert (point.threshold, point.fmr_measured, point.fnmr) == (0.5, 0.0, 1.0)


def test_the_table_comes_from_loose_to_strict_and_is_repeatable() -> None:
    pairs = every_pair([4] * 10, 1)
    points = operating_points(pairs, (0.2, 0.1, 0.02))
    thresholds = [point.threshold for point in points]
    assert thresholds == sorted(thresholds)
    assert points == operating_points(pairs, (0.2, 0.1, 0.02))


def test_a_rate_without_pairs_is_left_out_and_said() -> None:
    pairs = every_pair([2, 2, 2, 2], 0)  # 24 impostor pairs
    assert measurable(pairs) == (0.1,)
    with pytest.raises(ValueError, match="24 impostor pairs are too few for an FMR of 1e-06"):
        operating_points(pairs, (1e-6,))
    said = cautions_of(pairs)
    assert any("1e-06" in line and "10,000,000 pairs are needed" in line for line in said)
    assert any("1e-01" in line and "2.4 false matches" in line for line in said)
    assert any("below 1.2e-01" in line for line in said)  # 3 / 24
    assert any("4 identities are few" in line for line in said)


def test_ten_pairs_allow_one_false_match_in_ten() -> None:
    pairs = listed([0.9], [0.05 * n for n in range(10)])
    assert measurable(pairs) == (0.1,)
    (point,) = operating_points(pairs, (0.1,))
    assert point.fmr_measured == 0.1


@settings(deadline=None)
@given(st.lists(SCORE, min_size=1, max_size=8), st.lists(SCORE, min_size=1, max_size=8))
def test_the_equal_error_rate_against_brute_force(
    genuine: list[float], impostor: list[float]
) -> None:
    pairs = listed(genuine, impostor)
    nearest = min(
        (abs(false - missed), (false + missed) / 2)
        for threshold in (-1.0, *map(float, pairs.scores))
        for false in [Fraction(int((pairs.impostor > threshold).sum()), len(impostor))]
        for missed in [Fraction(int((pairs.genuine <= threshold).sum()), len(genuine))]
    )
    found = equal_error(pairs)
    (rates,) = rates_at(pairs, [found.threshold])
    assert abs(rates.fmr - rates.fnmr) == pytest.approx(float(nearest[0]))
    assert found.rate == pytest.approx((rates.fmr + rates.fnmr) / 2)


def test_the_equal_error_rate_of_two_normal_distributions() -> None:
    """Scores sigmoid(N(+1, 1)) and sigmoid(N(-1, 1)): EER = Phi(-1)."""
    generator = np.random.default_rng(4)
    logits = generator.normal(size=200_000) + np.repeat([1.0, -1.0], 100_000)
    scores = 1 / (1 + np.exp(-logits))
    pairs = listed(scores[:100_000].tolist(), scores[100_000:].tolist())
    found = equal_error(pairs)
    assert found.rate == pytest.approx(0.5 * math.erfc(1 / math.sqrt(2)), abs=0.003)
    assert found.threshold == pytest.approx(0.5, abs=0.01)


def test_the_curve_runs_from_everything_to_nothing_and_every_point_is_true() -> None:
    pairs = every_pair([6] * 12, 5, apart=2.5)
    curve = curve_of(pairs)
    assert (curve.fmr[0], curve.fnmr[0]) == (1.0, 0.0)
    assert (curve.fmr[-1], curve.fnmr[-1]) == (0.0, 1.0)
    assert list(curve.fmr) == sorted(curve.fmr, reverse=True)
    assert list(curve.fnmr) == sorted(curve.fnmr)
    for place in range(1, len(curve.thresholds), 37):
        (rates,) = rates_at(pairs, [curve.thresholds[place]])
        assert (rates.fmr, rates.fnmr) == pytest.approx((curve.fmr[place], curve.fnmr[place]))


def test_the_histogram_holds_every_pair_once() -> None:
    found = histogram_of(listed([0.0, 0.5, 1.0], [0.01, 0.99]))
    assert sum(found.genuine) == pytest.approx(1)
    assert sum(found.impostor) == pytest.approx(1)
    assert (found.genuine[0], found.genuine[-1], found.impostor[-1]) == pytest.approx(
        (1 / 3, 1 / 3, 1 / 2)
    )


def test_a_group_is_measured_by_its_own_people_alone() -> None:
    pairs = every_pair([3, 3, 4, 2], 6)
    pictures = pairs.owner >= 2
    chosen = pairs.chosen(pairs.pairs_within(pictures), pictures)
    assert chosen.identities == 2
    assert len(chosen.genuine) == 6 + 1
    assert len(chosen.impostor) == 4 * 2
    (rates,) = rates_at(chosen, [0.2])
    assert rates.false_matches == sum(
        float(score) > 0.2
        for score, (one, other) in zip(pairs.scores, pairs.rows, strict=True)
        if {int(pairs.owner[one]), int(pairs.owner[other])} == {2, 3}
    )


def test_impostor_scores_may_be_empty() -> None:
    none = np.zeros((0, 2), dtype=np.int32)
    empty = Comparisons(
        np.zeros(0, np.float32), np.zeros(0, bool), none, np.zeros(2, int), np.array([2])
    )
    assert (len(empty.genuine), len(empty.impostor), measurable(empty)) == (0, 0, ())


def test_one_pair_of_a_kind_can_be_drawn(tmp_path: Path) -> None:
    """Nothing on a logarithmic scale: no false match, no false non-match."""
    pairs = listed([0.9], [0.1, 0.2])
    found = equal_error(pairs)
    assert found.rate == 0
    curve, at = curve_of(pairs), rates_at(pairs, [0.5])
    for name, figure in {
        "roc.png": plot_roc(curve, at, 2),
        "det.png": plot_det(curve, at, found, (1, 2)),
        "scores.png": plot_histogram(histogram_of(pairs), [0.5]),
        "reliability.png": plot_reliability({"one": reliability_of(pairs.scores, pairs.same)}),
    }.items():
        save_png(figure, tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")
        svg = svg_of(figure, "A label")
        assert ElementTree.fromstring(svg).attrib["aria-label"] == "A label"
        assert "currentColor" in svg
        assert INK not in svg
