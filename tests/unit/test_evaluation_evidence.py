"""A rate that rests on one pair of people says so."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.evaluation_samples import every_pair
from training.evaluation.evidence import effective_pairs, evidence_cautions
from training.evaluation.rates import operating_points


def test_the_effective_number_of_pairs_by_hand() -> None:
    even = np.array([[0, 1], [2, 3], [4, 5], [1, 0], [3, 2], [5, 4]])
    assert effective_pairs(even) == pytest.approx(3)
    lopsided = np.array([[0, 1]] * 9 + [[2, 3]])
    assert effective_pairs(lopsided) == pytest.approx(100 / 82)


def test_one_person_under_two_names_is_named() -> None:
    pairs = every_pair([6] * 30, 1)
    people = pairs.owner[pairs.rows]
    twins = (people == (4, 7)).all(axis=1)
    points = operating_points(pairs, (1e-2, 1e-3))
    names = [f"person {number}" for number in range(30)]
    assert evidence_cautions(pairs, points, names) == []
    scores = pairs.scores.copy()
    scores[twins] = np.linspace(0.99, 0.999, twins.sum())
    wrong = replace(pairs, scores=scores)
    said = evidence_cautions(wrong, operating_points(wrong, (1e-2, 1e-3)), names)
    # 15,660 impostor pairs: 15 false matches at 1e-3, of the 36 pairs of the twins.
    assert said[-1] == (
        "FMR 1e-03: its 15 false matches rest on about 1 pairs of people; 'person 4' and "
        "'person 7' alone make 100 %: look whether they are one person"
    )
