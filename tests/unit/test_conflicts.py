"""The rule of conflicts: groups of references, the threshold by their number, who wins."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.artifact import Artifact
from model.types import Array
from service.core import index
from service.core import search as searching
from service.core.agreement import (
    SLIP,
    Agreement,
    agreements,
    mutual_scores,
    outliers,
    threshold_at,
)
from service.core.conflicts import find_conflicts, kind_of, mode_in_force, reference_agreements
from service.core.core import Core
from service.core.errors import InvalidRequest
from service.core.policy import ConflictMode, Policy
from service.core.ports import NewReference
from service.core.search import Other, search
from service.storage.memory_store import MemoryStore
from tests.unit.cosine_head import Cosine

D = 8


@pytest.fixture(scope="module")
def head(artifact: Artifact) -> Cosine:
    return Cosine(artifact.manifest)


@pytest.fixture
def core(head: Cosine) -> Core:
    detector: object = None  # no picture is looked at here
    return Core(head, detector, MemoryStore(), Policy())  # type: ignore[arg-type]


def person(axis: int, number: int = 0) -> Array:
    """Embeddings of one axis score above 0.999 with each other, those of two axes under 0.05."""
    embedding = np.zeros(D, np.float32)
    embedding[axis], embedding[D - 1] = 1, 0.02 * number
    return embedding / np.float32(np.linalg.norm(embedding))


def reference(embedding: Array, name: str, fingerprint: str) -> NewReference:
    landmarks = np.zeros((5, 2), np.float32)
    return NewReference(name, embedding, fingerprint, None, None, landmarks, 1.0, None)


def enrolled(core: Core, identity: str, *embeddings: Array, fingerprint: str | None = None) -> None:
    used = fingerprint or core.model.manifest.fingerprint
    new = [reference(one, f"{identity} {number}", used) for number, one in enumerate(embeddings)]
    core.store.enrol(identity, new, limit=1000)


def found(core: Core, identity: str, *embeddings: Array) -> dict[int, str]:
    """Kinds of conflict by position."""
    fingerprint = core.model.manifest.fingerprint
    new = [
        reference(one, f"new {one.tobytes().hex()}", fingerprint)  # the same picture, the same name
        for one in embeddings
    ]
    findings = find_conflicts(core, identity, new)
    return {position: finding.kind for position, finding in findings.by_position.items()}


def links(count: int, *pairs: tuple[int, int]) -> np.ndarray:
    matrix = np.eye(count, dtype=bool)
    for i, j in pairs:
        matrix[i, j] = matrix[j, i] = True
    return matrix


@pytest.mark.parametrize(
    ("count", "pairs", "trusted", "expected"),
    [
        (1, [], [], []),
        (1, [], [0], []),
        (2, [(0, 1)], [], []),
        (2, [], [], [0, 1]),  # nothing tells which is right
        (2, [], [0], [1]),
        (3, [(0, 1)], [], [2]),
        (3, [(0, 1), (1, 2)], [], []),  # a profile matches by way of a half profile
        (3, [], [], [0, 1, 2]),
        (4, [(0, 1), (2, 3)], [], [0, 1, 2, 3]),
        (5, [(0, 1), (1, 2), (3, 4)], [], [3, 4]),  # two of somebody else
        (4, [(1, 2), (2, 3), (1, 3)], [0], [1, 2, 3]),  # more, but not trusted
        (3, [(0, 2)], [0, 1], [1]),
        (3, [], [0, 1], [2]),
    ],
)
def test_who_is_outside(
    count: int, pairs: list[tuple[int, int]], trusted: list[int], expected: list[int]
) -> None:
    mask = np.isin(np.arange(count), trusted)
    assert np.flatnonzero(outliers(links(count, *pairs), mask)).tolist() == expected


@given(st.integers(1, 12), st.data())
@settings(max_examples=200, deadline=None, derandomize=True, database=None)
def test_the_groups_are_the_connected_components(count: int, data: st.DataObject) -> None:
    """Against powers of the matrix: the largest component is inside if no other is as large."""
    every = list(itertools.combinations(range(count), 2))
    pairs = data.draw(st.lists(st.sampled_from(every), max_size=count) if every else st.just([]))
    matrix = links(count, *pairs)
    reached = np.linalg.matrix_power(matrix.astype(float), count) > 0
    sizes = reached.sum(axis=1)
    largest = np.flatnonzero(sizes == sizes.max())
    alone = len(largest) == sizes.max()
    expected = ~np.isin(np.arange(count), largest) if alone else np.ones(count, dtype=bool)
    assert outliers(matrix, np.zeros(count, dtype=bool)).tolist() == expected.tolist()


def test_the_threshold_follows_the_number_compared(head: Cosine) -> None:
    table = head.manifest.calibration
    rows = {point.fmr: point.threshold for point in table.points}
    assert threshold_at(table, 1.0) == rows[1e-2]
    assert threshold_at(table, 0.005) == rows[1e-3]
    assert threshold_at(table, 1e-3) == rows[1e-3]
    assert threshold_at(table, 1e-9) == rows[1e-6]
    assert threshold_at(table, SLIP / 1) == rows[1e-2]
    assert threshold_at(table, SLIP / 19) == rows[1e-3]
    # Among strangers: never looser than a verdict is.
    assert searching.threshold(head.manifest, 0) == head.manifest.detection_threshold
    assert searching.threshold(head.manifest, 100) == rows[1e-4]
    assert searching.threshold(head.manifest, 101) == rows[1e-5]
    assert searching.threshold(head.manifest, 10**7) == rows[1e-6]


def test_agreement_is_of_the_others_alone(head: Cosine) -> None:
    rng = np.random.default_rng(0)
    embeddings = np.abs(rng.normal(size=(6, D))).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    mutual = mutual_scores(head, embeddings)
    np.testing.assert_allclose(mutual, embeddings @ embeddings.T, atol=1e-6)
    for i, one in enumerate(agreements(head, embeddings, np.zeros(6, dtype=bool))):
        others = [float(embeddings[i] @ embeddings[j]) for j in range(6) if j != i]
        assert one is not None
        expected = (max(others), float(np.median(others)), min(others))
        assert (one.best, one.median, one.lowest) == pytest.approx(expected, abs=1e-6)
    assert agreements(head, embeddings[:1], np.zeros(1, dtype=bool)) == [None]


OWN = Agreement(best=0.97, median=0.9, lowest=0.1, outlier=False)


@pytest.mark.parametrize(
    ("own", "other", "expected"),
    [
        (None, None, None),
        (None, Other("bob", 0.9601), "like_another_identity"),
        (None, Other("bob", 0.96), None),
        (OWN, Other("bob", 0.971), "like_another_identity"),
        (OWN, Other("bob", 0.97), None),  # no better than its own
        (OWN, None, None),
        (replace(OWN, outlier=True), None, "unlike_own_references"),
        (replace(OWN, outlier=True), Other("bob", 0.99), "like_another_identity"),
        (replace(OWN, best=0.2, outlier=True), Other("bob", 0.9), "unlike_own_references"),
    ],
)
def test_what_is_a_conflict(own: Agreement | None, other: Other | None, expected: str) -> None:
    new_identity = own is None
    assert kind_of(own, other, chance=0.96, new_identity=new_identity) == expected


def test_pictures_of_one_request_do_not_vouch_for_the_name_they_come_under() -> None:
    bob = Other("bob", 0.961)
    assert kind_of(OWN, bob, chance=0.96, new_identity=False) is None
    assert kind_of(OWN, bob, chance=0.96, new_identity=True) == "like_another_identity"


def test_the_first_pictures_of_a_person(core: Core) -> None:
    assert found(core, "ann", person(0)) == {}
    assert found(core, "ann", person(0), person(0, 1), person(0, 2)) == {}
    one_bad = {1: "unlike_own_references"}
    assert found(core, "ann", person(0), person(1), person(0, 2)) == one_bad


def test_pictures_of_somebody_else_are_told_however_many_they_are(core: Core) -> None:
    enrolled(core, "ann", person(0))
    five = [person(1, number) for number in range(5)]
    assert found(core, "ann", *five) == dict.fromkeys(range(5), "unlike_own_references")
    enrolled(core, "bob", person(1))
    assert found(core, "ann", *five) == dict.fromkeys(range(5), "like_another_identity")
    assert found(core, "bob", *five) == {}
    assert found(core, "eve", *five) == dict.fromkeys(range(5), "like_another_identity")


def test_a_copy_is_no_witness_and_what_is_stored_is_not_judged_again(core: Core) -> None:
    bad, good = person(1), person(0)
    # Twice the bad one: not a majority.
    kinds = found(core, "ann", bad, bad, good, person(0, 1))
    assert kinds == dict.fromkeys((0, 1), "unlike_own_references")
    fingerprint = core.model.manifest.fingerprint
    same = [reference(one, name, fingerprint) for one, name in ((good, "1"), (bad, "2"))]
    core.store.enrol("ann", same, limit=10)
    findings = find_conflicts(core, "ann", same)
    assert (findings.by_position, findings.others_searched) == ({}, False)


def test_the_search_finds_what_a_look_at_all_finds(
    core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "PAGE", 7)
    monkeypatch.setattr(searching, "NEAREST", 3)
    rng = np.random.default_rng(1)
    everybody = rng.normal(size=(60, D)).astype(np.float32)
    everybody /= np.linalg.norm(everybody, axis=1, keepdims=True)
    for number, embedding in enumerate(everybody):
        enrolled(core, f"person {number % 20}", embedding, *everybody[:0])
    kept = [
        (name, row)
        for name in (f"person {n}" for n in range(20))
        for row in (one.embedding for one in core.store.references(name))
    ]
    probes = rng.normal(size=(5, D)).astype(np.float32)
    probes /= np.linalg.norm(probes, axis=1, keepdims=True)
    result = search(core, "person 3", probes)
    assert result is not None
    others = [(name, row) for name, row in kept if name != "person 3"]
    assert result.compared == len(others)
    for probe, best in zip(probes, result.best, strict=True):
        name, row = max(others, key=lambda item: float(item[1] @ probe))
        assert best is not None
        assert best.identity == name
        assert best.score == pytest.approx(float(row @ probe), abs=1e-6)


def test_the_search_is_bounded_and_passes_over_other_models(core: Core) -> None:
    enrolled(core, "bob", person(1))
    enrolled(core, "old", person(0), fingerprint="f" * 16)
    result = search(core, "ann", person(0)[None])
    assert result is not None
    assert (result.compared, result.best[0]) == (1, Other("bob", 0.0))
    for bound, expected in ((2, True), (1, False), (0, False)):
        bounded = replace(core, policy=replace(core.policy, conflict_search=bound))
        assert (search(bounded, "ann", person(0)[None]) is not None) == expected
    bounded = replace(core, policy=replace(core.policy, conflict_search=1))
    assert found(bounded, "ann", person(1)) == {}


def test_references_that_cannot_be_made_again_have_no_agreement(core: Core) -> None:
    enrolled(core, "ann", person(0), person(0, 1))
    new = [reference(person(1), "older", "f" * 16)]
    core.store.enrol("ann", new, limit=10)
    first, second, older = reference_agreements(core, "ann")
    assert older[1] is None
    for _, agreement in (first, second):
        assert agreement is not None
        assert agreement.lowest > 0.99
        assert not agreement.outlier
    # Nor do they stand against what comes in.
    assert found(core, "ann", person(0, 2)) == {}


def test_a_request_may_ask_for_more_never_for_less() -> None:
    modes: list[ConflictMode] = ["off", "report", "strict"]
    assert list(get_args(ConflictMode)) == modes
    for setting, asked in itertools.product(modes, modes):
        if modes.index(asked) >= modes.index(setting):
            assert mode_in_force(setting, asked) == asked
        else:
            with pytest.raises(InvalidRequest, match=f"'{setting}', found '{asked}'"):
                mode_in_force(setting, asked)
        assert mode_in_force(setting, None) == setting
