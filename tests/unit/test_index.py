"""The index in memory against a look at everything, whatever is enrolled and deleted."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from model.artifact import Artifact
from model.types import Array
from service.core.core import Core
from service.core.errors import GalleryTooLarge, NotReady
from service.core.indexes import Indexes
from service.core.ordering import metric_of
from service.core.policy import Policy
from service.core.ports import NewReference
from service.core.search import search
from service.core.sketches import Sketches
from service.core.vectors import Blocks, Vectors
from service.storage.memory_store import MemoryStore
from tests.unit.cosine_head import Cosine
from tests.unit.distance_heads import Axes, Distance

D = 16
COUNT = 5


def unit(generator: np.random.Generator, count: int) -> Array:
    rows = generator.normal(size=(count, D))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


@pytest.fixture
def core(artifact: Artifact) -> Core:
    detector: Any = None  # no picture is looked at here
    return Core(Distance(artifact.manifest), detector, MemoryStore(), Policy())


def reference(core: Core, name: str, embedding: Array) -> NewReference:
    landmarks = np.zeros((5, 2), np.float32)
    return NewReference(name, embedding, core.fingerprint, None, None, landmarks, 1.0, None)


def nearest(core: Core, probe: Array, count: int = COUNT) -> list[str]:
    return core.indexes.nearest(core, probe, count, patient=True)[0]


def by_hand(core: Core, probe: Array, count: int = COUNT) -> list[str]:
    page = core.store.embeddings(core.fingerprint, after=0, limit=10**6)
    if not page.reference_ids:
        return []
    distances = np.linalg.norm(page.embeddings - probe, axis=1)
    return [page.reference_ids[i] for i in np.argsort(distances, kind="stable")[:count]]


@pytest.mark.parametrize("make", [Blocks, Sketches])
def test_vectors_are_found_and_forgotten(make: Any) -> None:
    generator = np.random.default_rng(0)
    vectors: Vectors = Sketches(D) if make is Sketches else Blocks()
    assert [len(row) for row in vectors.nearest(unit(generator, 2), 3)] == [0, 0]
    rows = unit(generator, 3000)
    vectors.put(np.arange(1500), rows[:1500])
    vectors.put(np.arange(1500, 3000), rows[1500:])
    probes = unit(generator, 20)
    gone = np.arange(0, 3000, 3)
    for _ in range(2):
        found = vectors.nearest(probes, 10)
        distances = np.linalg.norm(rows[None] - probes[:, None], axis=2)
        right = np.argsort(distances, axis=1)[:, :10]
        hits = [len(set(a.tolist()) & set(b.tolist())) for a, b in zip(found, right, strict=True)]
        assert np.mean(hits) >= (10 if make is Blocks else 9.5)
        vectors.clear(gone)
        # What is cleared is far from everything.
        rows[gone] = 100
    assert vectors.size_bytes > 3000 * D * 2


@pytest.mark.parametrize("pages", [1, 4096])
def test_a_gallery_that_lies_to_one_side_is_told_apart(pages: int) -> None:
    """Signs say something about rows that are all alike only if seen from their middle."""
    generator = np.random.default_rng(4)
    size, count = 64, 40_000
    middle = 3 * generator.normal(size=size)
    rows = np.asarray(middle + 0.2 * generator.normal(size=(count, size)), np.float32)
    vectors = Sketches(size)
    alone = np.arange(100)
    for slots in (*np.array_split(alone, len(alone) // min(pages, 100)), np.arange(100, count)):
        vectors.put(slots, rows[slots])
    probes = rows[::1000] + np.asarray(0.1 * generator.normal(size=(40, size)), np.float32)
    distances = np.linalg.norm(rows[None] - probes[:, None], axis=2)
    found = vectors.nearest(probes, 10)
    assert [row[0] for row in found] == np.argmin(distances, axis=1).tolist()


@pytest.mark.parametrize("vectors", [Blocks(), Sketches(D)])
def test_no_more_are_found_than_there_are(vectors: Vectors) -> None:
    rows = unit(np.random.default_rng(0), 4)
    vectors.put(np.arange(4), rows)
    vectors.clear(np.array([1, 2]))
    (found,) = vectors.nearest(rows[:1], 10)
    assert sorted(found.tolist()) == [0, 3]


def test_any_sequence_of_changes_is_seen_at_once(core: Core) -> None:
    generator = np.random.default_rng(3)
    names: list[str] = []
    for turn in range(300):
        match generator.integers(6):
            case 0 | 1 | 2:
                name = f"person {generator.integers(40)}"
                new = [
                    reference(core, f"{turn} {i}", row) for i, row in enumerate(unit(generator, 2))
                ]
                core.store.enrol(name, new, limit=100)
                names = sorted({*names, name})
            case 3 if names:
                core.store.delete_identity(name := str(generator.choice(names)))
                names.remove(name)
            case 4 if names:
                name = str(generator.choice(names))
                one = core.store.references(name)[0].reference_id
                if generator.integers(2):
                    core.store.update_embedding(one, unit(generator, 1)[0], core.fingerprint)
                else:
                    core.store.delete_reference(name, one)
                names = [s.identity for s in core.store.identities(None, 1000)]
            case 5 if len(names) > 1:
                a, b = (str(n) for n in generator.choice(names, 2, replace=False))
                if generator.integers(2):
                    core.store.merge(a, b, limit=1000)
                else:
                    core.store.rename(a, f"renamed {turn}")
                names = [s.identity for s in core.store.identities(None, 1000)]
        (probe,) = unit(generator, 1)
        assert nearest(core, probe) == by_hand(core, probe), turn
        _, index, _ = core.indexes.nearest(core, probe, 1)
        assert index.references == core.store.count()
        assert index.identities == len(names)


def test_searches_at_once_each_get_their_own(core: Core) -> None:
    generator = np.random.default_rng(5)
    rows = unit(generator, 500)
    for number, row in enumerate(rows):
        core.store.enrol(f"{number}", [reference(core, f"{number}", row)], limit=9)
    right = {i: by_hand(core, rows[i], 3) for i in range(0, 500, 10)}
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: (i, nearest(core, rows[i], 3)), [*right] * 4))
    assert all(ids == right[i] for i, ids in found)


def test_a_store_that_fails_is_told_and_asked_again(core: Core, monkeypatch: Any) -> None:
    row = unit(np.random.default_rng(1), 1)[0]
    core.store.enrol("ann", [reference(core, "1", row)], limit=9)
    assert len(nearest(core, row)) == 1

    def away(_: object) -> Any:
        raise NotReady("away")

    with monkeypatch.context() as patch:
        patch.setattr(core.store, "changes", away)
        with pytest.raises(NotReady, match="away"):
            nearest(core, row)
    core.store.enrol("bob", [reference(core, "2", row)], limit=9)
    assert len(nearest(core, row)) == 2


def test_while_it_is_read_who_searches_is_told_to_come_again(core: Core, monkeypatch: Any) -> None:
    row = unit(np.random.default_rng(1), 1)[0]
    core.store.enrol("ann", [reference(core, "1", row)], limit=9)
    slow = replace(core, indexes=Indexes(wait_s=0.05))
    go_on, read = threading.Event(), core.store.embeddings

    def slowly(*args: Any, **named: Any) -> Any:
        go_on.wait(10)
        return read(*args, **named)

    monkeypatch.setattr(core.store, "embeddings", slowly)
    with pytest.raises(NotReady, match="is being read"):
        slow.indexes.nearest(slow, row, 1)
    go_on.set()
    assert len(nearest(slow, row)) == 1


def test_memory_is_bounded_and_what_is_unused_goes(core: Core) -> None:
    now = [0.0]
    size = core.model.manifest.embedding_size
    each = 24 + 4 * size + 4
    bounded = replace(core, indexes=Indexes(3 * each, clock=lambda: now[0]))
    rows = unit(np.random.default_rng(1), 8)
    for number in range(2):
        for name in ("a", "b"):
            own = bounded.within(name)
            own.store.enrol(f"{number}", [reference(core, f"{number}", rows[number])], limit=9)
    a, b = bounded.within("a"), bounded.within("b")
    assert len(nearest(a, rows[0])) == 2
    before = bounded.indexes.size_bytes
    # Both together are too much: the first makes room.
    assert len(nearest(b, rows[0])) == 2
    assert bounded.indexes.size_bytes == before > 0
    for number in range(2, 4):
        b.store.enrol(f"{number}", [reference(core, f"{number}", rows[number])], limit=9)
    with pytest.raises(GalleryTooLarge, match="SEMBLANCE_SEARCH_BYTES"):
        nearest(b, rows[0])
    assert search(b, "new", rows[:1]) is None
    assert len(nearest(a, rows[0])) == 2
    now[0] += 4000
    bounded.indexes.sweep()
    assert bounded.indexes.size_bytes == 0


def test_the_sweep_takes_what_others_deleted_out_of_memory(core: Core) -> None:
    row = unit(np.random.default_rng(1), 1)[0]
    core.store.enrol("ann", [reference(core, "1", row)], limit=9)
    _, index, _ = core.indexes.nearest(core, row, 1, patient=True)
    core.store.delete_identity("ann")
    vectors: Any = index._vectors
    assert np.abs(vectors._blocks[0]).max() > 0
    core.indexes.sweep()
    assert np.abs(vectors._blocks[0]).max() == 0
    assert index.references == index.identities == 0


def test_above_the_bound_it_is_approximate(core: Core) -> None:
    rows = unit(np.random.default_rng(1), 200)
    for number, row in enumerate(rows):
        core.store.enrol(f"{number % 50}", [reference(core, f"{number}", row)], limit=9)
    large = replace(
        core, model=Distance(core.model.manifest.model_copy(update={"embedding_size": D}))
    )
    large = replace(large, indexes=Indexes(exact_up_to=100))
    ids, _, way = large.indexes.nearest(large, rows[7], 3, patient=True)
    assert way == "approximate"
    assert ids == by_hand(core, rows[7], 3)
    core.store.delete_identity("7")
    again, index, _ = large.indexes.nearest(large, rows[7], 200, patient=True)
    assert ids[0] not in again
    assert len(again) >= 0.95 * index.references


def test_what_the_score_falls_with(artifact: Artifact) -> None:
    assert metric_of(Distance(artifact.manifest)) == "euclidean"
    assert metric_of(Axes(artifact.manifest)) == "other"
    assert metric_of(Cosine(artifact.manifest)) == "other"


def test_another_order_than_the_lengths_is_kept_to(core: Core) -> None:
    """A head on the embedding's own axes: every score is looked at, so the best is found."""
    axes = Axes(core.model.manifest)
    other = replace(core, model=axes, indexes=Indexes())
    generator = np.random.default_rng(2)
    rows = unit(generator, 2000)
    new = [reference(core, f"{i}", row) for i, row in enumerate(rows)]
    core.store.enrol("all", new, limit=5000)
    differs = 0
    for probe in unit(generator, 20):
        page = core.store.embeddings(core.fingerprint, after=0, limit=10**6)
        best = page.reference_ids[int(np.argmax(axes.score(probe, page.embeddings)))]
        assert nearest(other, probe, 1) == [best]
        differs += by_hand(core, probe, 1) != [best]
    assert differs > 0
