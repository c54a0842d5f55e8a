"""Whole verdicts against the service's own decision, counting by hand and known distributions."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from model.contract import VerdictPoint
from model.fusion import centroid, fuse
from model.types import AnyArray
from service.core.decide import decide
from tests.unit.verdict_samples import (
    CosineRuntime,
    compared,
    gallery_of,
    people,
    score_of,
    strangers,
    true_pair_rate,
)
from training.evaluation.text import markdown
from training.evaluation.verdict_attempts import (
    DRAWS,
    RULES,
    fewest_matches,
    shared,
    verdict_attempts,
)
from training.evaluation.verdict_tables import common_rate, fusion_table, threshold_table
from training.evaluation.verdicts import verdict_rates, verdict_table
from training.pairs import scores_between


@pytest.mark.parametrize("verification", [0.0, 0.3, 0.5, 2 / 3, 0.9, 1.0])
def test_the_share_rule_as_one_score_decides_as_the_service_does(verification: float) -> None:
    generator = np.random.default_rng(1)
    for references, threshold in itertools.product(range(1, 21), (0.2, 0.5, 0.8)):
        scores = generator.random(references).astype(np.float32)
        verified = decide(scores, threshold, verification).verified
        assert (float(shared(scores, verification)) > threshold) == verified


def test_how_many_must_match_by_hand() -> None:
    assert [fewest_matches(k, 0.5) for k in (1, 2, 3, 5, 10)] == [1, 2, 2, 3, 6]
    assert fewest_matches(3, 1.0) is None


def test_looked_up_scores_are_the_models() -> None:
    embedded = people([3, 2, 4], 5)
    rows, others = np.array([8, 0, 4]), np.array([0, 1, 8, 5])
    found = scores_between(compared(embedded), rows, others)
    for (i, row), (j, other) in itertools.product(enumerate(rows), enumerate(others)):
        own = CosineRuntime().score(embedded.embeddings[row], embedded.embeddings[[other]])[0]
        assert found[i, j] == (0 if row == other else pytest.approx(own, abs=1e-6))


def test_impostor_verdicts_by_hand() -> None:
    """Identities with just k pictures: every draw has the same references."""
    gallery = gallery_of([3, 3, 3, 3], 7)
    embedded, owner = gallery.embedded, gallery.comparisons.owner
    found = verdict_attempts(gallery, 3)
    by_hand: dict[str, list[float]] = {rule: [] for rule in RULES}
    for probe, who in enumerate(owner):
        for other in set(range(4)) - {int(who)}:
            rows = embedded.embeddings[owner == other]
            scores = CosineRuntime().score(embedded.embeddings[probe], rows)
            template = centroid(rows, np.ones(3, dtype=np.float32))
            one = CosineRuntime().score(embedded.embeddings[probe], template[None])
            by_hand["share"].append(float(np.sort(scores)[1]))
            by_hand["max"].append(float(fuse("max", scores)))
            by_hand["mean"].append(float(fuse("mean", scores)))
            by_hand["centroid"].append(float(one[0]))
    for rule in RULES:
        one_draw = found[rule].impostor[::DRAWS]
        assert one_draw == pytest.approx(sorted(by_hand[rule], reverse=True), abs=1e-6)
        assert found[rule].trials() == DRAWS * 36
        assert (found[rule].people[:, 0] != found[rule].people[:, 1]).all()
        assert len(found[rule].genuine) == 0


def test_a_genuine_probe_is_never_among_its_references() -> None:
    gallery = gallery_of([4, 4, 4], 3)
    owner = gallery.comparisons.owner
    found = verdict_attempts(gallery, 3)
    left_out = {int(owner[probe]): [] for probe in range(len(owner))}  # type: dict[int, list[float]]
    for probe, who in enumerate(owner):
        others = np.setdiff1d(np.flatnonzero(owner == who), [probe])
        scores = scores_between(gallery.comparisons, np.array([probe]), others)[0]
        left_out[int(who)].append(float(scores.max()))
    best = found["max"]
    assert len(best.genuine) == 3 * DRAWS
    for score, who in zip(best.genuine, best.who, strict=True):
        assert min(abs(score - one) for one in left_out[int(who)]) < 1e-6


def test_with_one_reference_all_rules_are_one() -> None:
    found = verdict_attempts(gallery_of([4] * 12, 2), 1)
    for rule in RULES:
        assert np.array_equal(found[rule].impostor, found["share"].impostor)
        assert np.array_equal(found[rule].genuine, found["share"].genuine)


def test_the_table_keeps_its_rates_and_leaves_out_what_it_cannot_carry() -> None:
    gallery = gallery_of([6] * 40 + [12] * 4, 4)
    table = verdict_table(gallery)
    # Four identities are too few to enrol ten references of.
    assert {row.references for row in table.points} == {1, 3, 5}
    # 44 identities x 288 pictures, less their own: about 12,000 verdicts.
    assert {row.fmr for row in table.points} == {1e-2, 1e-3}
    for row in table.points:
        assert row.fmr_measured <= row.fmr
        assert row.fmr_interval[0] <= row.fmr_measured <= row.fmr_interval[1]
        assert row.fnmr_interval[0] <= row.fnmr <= row.fnmr_interval[1]
        assert (row.verification_threshold == 0.5) == (row.fusion == "share")
    for rule, k in itertools.product(RULES, (1, 3, 5)):
        column = [row for row in table.points if (row.fusion, row.references) == (rule, k)]
        thresholds = [row.threshold for row in column]
        assert thresholds == sorted(thresholds)
    assert "k = 5: 44 identities enrolled, 12,384 impostor and 68 genuine" in table.protocol
    assert verdict_table(gallery) == table


def test_more_references_lower_the_fnmr_and_share_is_not_the_best_rule() -> None:
    """Pictures around a direction: the mean direction is the best of all templates."""
    table = verdict_table(gallery_of([12] * 60, 8))
    of = {(row.fusion, row.references, row.fmr): row.fnmr for row in table.points}
    for rule in RULES:
        assert of[rule, 10, 1e-3] < of[rule, 3, 1e-3] < of[rule, 1, 1e-3]
    assert of["centroid", 10, 1e-3] <= min(of[rule, 10, 1e-3] for rule in RULES)


def test_the_true_rate_lies_in_the_claimed_interval() -> None:
    """Of one reference in closed form, of several by simulation of strangers."""
    table = verdict_table(gallery_of([8] * 80, 11), (1, 3, 5))
    probes, references = {}, {}
    for k in (3, 5):
        probes[k], references[k] = strangers(k, 200_000, 12)
    checked = 0
    for row in table.points:
        if row.references == 1:
            true = true_pair_rate(row.threshold)
        else:
            fused = _fused(row, probes[row.references], references[row.references])
            true = float((fused > row.threshold).mean())
        assert row.fmr_interval[0] <= true <= row.fmr_interval[1], row
        checked += 1
    assert checked == len(RULES) * 3 * 2


def _fused(row: VerdictPoint, probes: AnyArray, references: AnyArray) -> AnyArray:
    """Scores of probes (P, D) on references (P, k, D), by the row's rule."""
    scores = score_of(np.einsum("pd,pkd->pk", probes, references))
    if row.fusion == "share":
        return np.asarray(np.sort(scores, axis=1)[:, row.references // 2])
    if row.fusion == "centroid":
        mean = references.mean(axis=1)
        unit = mean / np.linalg.norm(mean, axis=1, keepdims=True)
        return score_of(np.einsum("pd,pd->p", probes, unit))
    return fuse("max" if row.fusion == "max" else "mean", scores)


def test_too_few_people_give_no_table() -> None:
    table = verdict_table(gallery_of([3] * 9, 0))
    assert (table.points, table.protocol) == ((), "")
    assert common_rate(table.points) is None
    assert fusion_table(table.points).rows == ()
    assert threshold_table(table.points).rows == ()


def test_nobody_is_verified_by_a_share_above_all() -> None:
    """`matched / references > 1` never holds: no false match, no match at all."""
    table = verdict_table(gallery_of([6] * 40, 4, verification=1.0), (3,))
    rows = [row for row in table.points if row.fusion == "share"]
    assert rows
    assert all((row.fmr_measured, row.fnmr) == (0, 1) for row in rows)


def test_the_tables_as_text() -> None:
    table = verdict_table(gallery_of([6] * 44, 4))
    assert common_rate(table.points) == 1e-3
    shown = fusion_table(table.points)
    assert shown.columns == ("rule", "1 reference", "3 references", "5 references")
    assert [row[0] for row in shown.rows] == list(RULES)
    (row,) = [
        row for row in table.points if (row.fusion, row.references, row.fmr) == ("max", 3, 1e-3)
    ]
    assert shown.rows[1][2].startswith(f"{100 * row.fnmr:.2f} % (")
    assert markdown(shown).splitlines()[1] == "| --- | --- | --- | --- |"
    assert len(threshold_table(table.points).rows) == 12


def test_rates_need_ten_expected_false_verdicts_of_one_draw() -> None:
    found = verdict_attempts(gallery_of([5] * 21, 0), 1)["share"]
    # 21 x 105 - 21 x 5 = 2,100 verdicts a draw: 1e-2 expects 21, 1e-3 only 2.1.
    assert found.trials() / DRAWS == 2100
    assert verdict_rates(found) == (1e-2,)
