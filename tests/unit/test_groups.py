"""Rates of groups against counting by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from model.types import AnyArray
from tests.unit.evaluation_samples import every_pair, listed
from training.attributes.intervals import drawn_pairs, pairs_interval
from training.attributes.pair_groups import edges_of, pair_groups
from training.attributes.table import Attribute, AttributeTable, Key
from training.evaluation.comparisons import Comparisons
from training.evaluation.corpus import Corpus, PairList
from training.evaluation.groups import group_rates, threshold_at
from training.evaluation.intervals import draws_of, impostor_interval
from training.pictures import Embedded

IMAGES = [4, 5, 3, 6, 4, 5]


def table_of(key: str, *attributes: Attribute) -> AttributeTable:
    keys = {name for one in attributes for name in (one.groups or one.numbers or {})}
    kind: Key = "identity" if key == "identity" else "picture"
    return AttributeTable("table.csv", kind, tuple(keys), attributes)


def corpus_of(pairs: Comparisons, table: AttributeTable) -> Corpus:
    count = len(pairs.owner)
    embedded = Embedded(
        names=tuple(f"{owner}/{row}.jpg" for row, owner in enumerate(pairs.owner)),
        identities=np.array([str(owner) for owner in pairs.owner]),
        embeddings=np.zeros((count, 2), dtype=np.float32),
        missed=(),
    )
    return Corpus("made up", "nowhere", embedded, lambda _: None, attributes=table)


def numbers_of(pairs: Comparisons, seed: int, *, signed: bool) -> dict[str, float]:
    generator = np.random.default_rng(seed)
    drawn = generator.normal(0 if signed else 50, 5, len(pairs.owner))
    return {f"{o}/{r}.jpg": float(drawn[r]) for r, o in enumerate(pairs.owner)}


def test_edges_cut_into_equal_parts() -> None:
    values = np.random.default_rng(0).permutation(100).astype(np.float64)
    edges = edges_of(values, 4)
    assert np.bincount(np.searchsorted(edges, values)).tolist() == [25, 25, 25, 25]
    assert edges_of(np.array([1.0, 1, 1, 1]), 4).tolist() == []
    assert edges_of(np.array([0.0, 0, 0, 1]), 2).tolist() == [0]


def test_a_pair_is_of_a_group_when_both_pictures_are() -> None:
    pairs = every_pair(IMAGES, 1)
    groups = {"0": "x", "1": "x", "2": "y", "3": "y", "4": "x"}
    table = table_of("identity", Attribute("group", groups=groups))
    found, _ = group_rates(corpus_of(pairs, table), pairs, 0.4)
    assert [(one.attribute, one.group, one.identities) for one in found] == [
        ("group", "x", 3),
        ("group", "y", 2),
    ]
    for one in found:
        counts = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
        for (left, right), score, same in zip(pairs.rows, pairs.scores, pairs.same, strict=True):
            of = {groups.get(str(pairs.owner[row])) for row in (left, right)}
            if of == {one.group}:
                counts[bool(same), bool(score > 0.4)] += 1
        rates = one.rates
        assert (rates.true_matches, rates.false_non_matches) == (
            counts[True, True],
            counts[True, False],
        )
        assert (rates.false_matches, rates.true_non_matches) == (
            counts[False, True],
            counts[False, False],
        )


def by_hand(pairs: Comparisons, values: dict[str, float], lower: bool) -> AnyArray:
    ordered = [values[f"{owner}/{row}.jpg"] for row, owner in enumerate(pairs.owner)]
    found = []
    for left, right in pairs.rows:
        one, other = np.float32(ordered[left]), np.float32(ordered[right])
        found.append(min(one, other) if lower else abs(one - other))
    return np.array(found)


@pytest.mark.parametrize("signed", [True, False])
def test_numbers_make_halves_of_the_difference_and_quarters_of_the_lower(signed: bool) -> None:
    pairs = every_pair(IMAGES, 2)
    values = numbers_of(pairs, 3, signed=signed)
    table = table_of("picture", Attribute("yaw", numbers=values))
    keys = np.array(corpus_of(pairs, table).embedded.names)
    found = list(pair_groups(table, keys, pairs))
    assert [one.attribute for one in found] == ["yaw difference"] * 2 + (
        [] if signed else ["yaw, the lower"] * 4
    )
    genuine = pairs.same.sum()
    for start, bins in ((0, 2), (2, 4)):
        parts = found[start : start + bins]
        if not parts:
            continue
        together = np.stack([one.pairs for one in parts])
        assert (together.sum(axis=0) == 1).all()
        measured = by_hand(pairs, values, lower=bins == 4)
        for lower, upper in pairwise(parts):
            assert measured[lower.pairs].max() < measured[upper.pairs].min()
            assert f"{measured[lower.pairs & pairs.same].max():.4g}" in upper.group
        for one in parts:
            # One picture is the lower of several pairs, and they go together.
            ties = 1 if bins == 2 else max(IMAGES)
            assert abs((one.pairs & pairs.same).sum() - genuine / bins) <= ties


def test_pairs_with_an_unknown_value_are_in_no_group() -> None:
    pairs = every_pair(IMAGES, 4)
    values = numbers_of(pairs, 5, signed=False)
    unknown = "0/1.jpg"
    del values[unknown]
    table = table_of("picture", Attribute("age", numbers=values))
    names = corpus_of(pairs, table).embedded.names
    for one in pair_groups(table, np.array(names), pairs):
        assert not any(names[row] == unknown for row in pairs.rows[one.pairs].ravel())


def test_drawn_pairs_are_counted_as_by_hand() -> None:
    generator = np.random.default_rng(6)
    draws = draws_of(np.ones(7, dtype=np.bool_), 0)
    pairs = generator.integers(0, 7, (40, 2))
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    expected = [len(pairs), *(sum(d[i] * d[j] for i, j in pairs) for d in draws)]
    assert drawn_pairs(pairs, draws) == pytest.approx(np.array(expected))
    assert drawn_pairs(pairs[:0], draws).max() == 0


def test_of_all_pairs_the_interval_is_the_one_of_all_pairs() -> None:
    """The closed form that holds for all pairs, and the sum over pairs, agree."""
    pairs = every_pair([3] * 40, 7, apart=3)
    owners = pairs.owner[pairs.rows[~pairs.same]]
    false = owners[pairs.scores[~pairs.same] > 0.6]
    assert len(false) > 20
    draws = draws_of(pairs.images > 0, 0)
    found = pairs_interval(false, drawn_pairs(owners, draws), draws)
    assert found == pytest.approx(impostor_interval(false, pairs.images, draws), rel=1e-5)


def test_fnmr_at_the_overall_and_at_the_own_threshold() -> None:
    pairs = every_pair([8] * 24, 8, apart=4)
    groups = {str(owner): "even" if owner % 2 == 0 else "odd" for owner in range(24)}
    table = table_of("identity", Attribute("parity", groups=groups))
    found, cautions = group_rates(corpus_of(pairs, table), pairs, 0.99)
    assert cautions == [
        "parity: the FMR of even, odd rests on fewer than 10 false matches; see the interval"
    ]
    for one in found:
        assert one.at_overall is not None
        assert one.at_own is not None
        overall = float(pairs.impostor[int(len(pairs.impostor) * 1e-3)])
        assert one.at_overall.threshold == overall
        impostor = one.at_own.false_matches + one.at_own.true_non_matches
        assert one.at_own.false_matches == impostor // 1000
        assert one.at_own.fnmr_interval[0] <= one.at_own.fnmr <= one.at_own.fnmr_interval[1]


def test_a_threshold_needs_pairs_for_its_rate() -> None:
    assert threshold_at(np.linspace(1, 0, 999), 1e-3) is None
    descending = np.linspace(1, 0, 2000)
    found = threshold_at(descending, 1e-3)
    assert found is not None
    assert (descending > found).sum() == 2


def test_a_list_of_pairs_is_grouped_by_its_own_column_and_by_pictures() -> None:
    pairs = listed([0.9, 0.2, 0.8], [0.1, 0.7, 0.3])
    names = [f"{n}.jpg" for n in range(12)]
    table = table_of(
        "picture", Attribute("light", groups=dict.fromkeys((*names[:4], *names[8:]), "dim"))
    )
    corpus = corpus_of(pairs, table)
    embedded = Embedded(tuple(names), corpus.embedded.identities, corpus.embedded.embeddings, ())
    wanted = tuple((names[one], names[other]) for one, other in pairs.rows)
    by_list = PairList(wanted, tuple(pairs.same.tolist()), groups=("a", "", "", "a", "", ""))
    corpus = Corpus("", "", embedded, corpus.chip_of, by_list, named=False, attributes=table)
    found, _ = group_rates(corpus, pairs, 0.5)
    assert [(one.attribute, one.group, one.identities) for one in found] == [
        ("group", "a", None),
        ("light", "dim", None),
    ]
    dim = found[1].rates
    assert (dim.true_matches, dim.false_non_matches) == (1, 1)
    assert (dim.false_matches, dim.true_non_matches) == (1, 1)
    assert found[1].at_own is None
