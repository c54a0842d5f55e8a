"""The storage part of `reembed` on every database: whole identities, each once, none mixed."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import update

from model.types import Array
from service.commands.reembed_worker import Order, batches
from service.core.errors import DamagedData, ModelMismatch, UnknownReference
from service.core.ports import Store
from service.storage.census import SqlCensus
from service.storage.reembedding import Batch, Fault, Pictures, Reembedding
from service.storage.sql_store import SqlStore
from service.storage.tables import face_references
from tests.integration.store_samples import new_reference
from tests.integration.vaults import open_store
from tests.postgres import Server

OLD, NEW = "model 1", "model 2"
PEOPLE, EACH = 40, 3
Make = Callable[[Sequence[Pictures]], list[Array | Fault]]


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlStore]:
    address = None
    if request.param == "postgres":
        server: Server = request.getfixturevalue("postgres")
        address = server.new_database()
    with closing(open_store(tmp_path / "data", address=address)) as opened:
        yield opened


def fill(store: Store, people: int = PEOPLE, *, image_bytes: int | None = 500) -> None:
    for number in range(people):
        new = [new_reference(f"{number} {n}", image_bytes=image_bytes) for n in range(EACH)]
        store.enrol(f"person {number:03}", new, limit=EACH)


def work_on(store: SqlStore) -> Reembedding:
    return Reembedding(store.engine, store.data_keys, NEW)


def embedding_of(picture: bytes) -> Array:
    return np.frombuffer(picture[:200], np.uint8).astype(np.float32)


def make(people: Sequence[Pictures]) -> list[Array | Fault]:
    """A model that reads the beginning of a picture."""
    return [np.stack([embedding_of(one.data) for one in pictures]) for pictures in people]


def walk(store: SqlStore, using: Make = make, *, share: float = 0.3, batch: int = 4) -> list[Batch]:
    return list(batches(work_on(store), using, Order(Path(), share, batch)))


def models(store: Store) -> Counter[tuple[str, ...]]:
    """How many identities have references by these models."""
    return Counter(
        tuple(sorted({one.fingerprint for one in store.references(summary.identity)}))
        for summary in store.identities(None, 1000)
    )


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_all_are_given_the_other_model_from_wherever_it_begins(
    store: SqlStore, share: float
) -> None:
    fill(store)
    before = {name.identity: store.revision(name.identity) for name in store.identities(None, 99)}
    assert work_on(store).left().identities == PEOPLE
    done = walk(store, share=share)
    assert sum(one.identities for one in done) == PEOPLE
    assert sum(one.references for one in done) == PEOPLE * EACH
    assert all(one.put_off == 0 and one.damaged == () for one in done)
    assert models(store) == {(NEW,): PEOPLE}
    assert work_on(store).count() == 0
    for name, revision in before.items():
        assert store.revision(name) != revision
        for one in store.references(name):
            kept = store.image(name, one.reference_id)
            assert kept is not None
            np.testing.assert_array_equal(one.embedding, embedding_of(kept.data))
    # Nothing is left for whoever comes next.
    assert walk(store) == []


def test_several_at_once_share_the_work(store: SqlStore) -> None:
    fill(store)
    lock, seen = threading.Lock(), Counter[bytes]()

    def slow(people: Sequence[Pictures]) -> list[Array | Fault]:
        time.sleep(0.02)
        pictures = [list(one) for one in people]
        with lock:
            seen.update(one.data for several in pictures for one in several)
        return make([iter(several) for several in pictures])

    found: list[list[Batch]] = []
    threads = [
        # All at one place, where they get most into each other's way.
        threading.Thread(target=lambda: found.append(walk(store, slow, share=0.5)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [one for several in found for one in several]
    assert len(found) == 4
    assert models(store) == {(NEW,): PEOPLE}
    assert sum(one.references for one in done) == PEOPLE * EACH
    again = sum(seen.values()) - PEOPLE * EACH
    print(f"{store.engine.dialect.name}: {again} of {PEOPLE * EACH} pictures embedded in vain")
    if store.engine.dialect.name == "postgresql":
        assert set(seen.values()) == {1}
        assert sum(1 for several in found if any(one.identities for one in several)) > 1


def test_one_that_changes_meanwhile_is_put_off_and_then_done_whole(store: SqlStore) -> None:
    fill(store, 3)
    turns = iter(range(100))

    def changing(people: Sequence[Pictures]) -> list[Array | Fault]:
        made = make(people)
        if next(turns) == 0:
            other = SqlStore(store.databases, store.data_keys)
            other.enrol("person 001", [new_reference("more")], limit=99)
        return made

    done = walk(store, changing, share=0.0)
    assert [one.put_off for one in done if one.put_off] == [1]
    assert models(store) == {(NEW,): 3}
    assert len(store.references("person 001")) == EACH + 1


def careful(people: Sequence[Pictures]) -> list[Array | Fault]:
    """As a worker does."""
    found: list[Array | Fault] = []
    for pictures in people:
        try:
            found += make([pictures])
        except UnknownReference:
            found.append("changed")
        except DamagedData:
            found.append("damaged")
    return found


def test_one_deleted_meanwhile_is_no_fault(store: SqlStore) -> None:
    if store.engine.dialect.name == "postgresql":
        pytest.skip("there a deletion waits for the batch")
    fill(store, 2)

    def deleting(people: Sequence[Pictures]) -> list[Array | Fault]:
        store.delete_reference("person 000", store.references("person 000")[0].reference_id)
        return careful(people)

    work = work_on(store)
    work.extent()
    batch = work.batch(deleting, after=0, until=None, limit=9)
    assert (batch.identities, batch.put_off, batch.damaged) == (1, 1, ())
    walk(store)
    assert models(store) == {(NEW,): 2}
    assert len(store.references("person 000")) == EACH - 1


def test_a_mixed_identity_is_made_whole(store: SqlStore) -> None:
    fill(store, 2)
    first, second, _ = store.references("person 000")
    store.update_embedding(first.reference_id, first.embedding, NEW)
    store.update_embedding(second.reference_id, second.embedding, "model 0")
    assert work_on(store).left().references == 2 * EACH - 1
    done = walk(store)
    assert sum(one.references for one in done) == 2 * EACH - 1
    assert models(store) == {(NEW,): 2}
    np.testing.assert_array_equal(store.references("person 000")[0].embedding, first.embedding)


def test_without_pictures_they_are_counted_and_left_alone(store: SqlStore) -> None:
    fill(store, 2, image_bytes=None)
    # One picture of three is not enough: an identity is of one model.
    half = [new_reference("x", image_bytes=None), new_reference("y")]
    store.enrol("half", half, limit=9)
    store.enrol("whole", [new_reference("z")], limit=9)
    done = walk(store)
    assert [(one.identities, one.damaged) for one in done] == [(1, ())]
    left = work_on(store).left()
    assert (left.identities, left.references, left.without_picture) == (3, 2 * EACH + 2, 3)
    assert models(store) == {(OLD,): 3, (NEW,): 1}


def test_what_cannot_be_read_is_named_and_keeps_nobody_back(store: SqlStore) -> None:
    fill(store, 6)
    spoilt = store.references("person 002")[1]
    with store.engine.begin() as connection:
        connection.execute(
            update(face_references)
            .where(face_references.c.reference_id == spoilt.reference_id)
            .values(details=b"spoilt")
        )
    done = walk(store, careful)
    damaged = {number for one in done for number in one.damaged}
    assert len(damaged) == 1
    assert work_on(store).are_left(sorted(damaged)) == 1
    assert work_on(store).left().identities == 1
    assert sum(one.identities for one in done) == 5


def test_the_census_tells_which_models_there_are(store: SqlStore) -> None:
    census = SqlCensus(store.engine)
    assert (census.counts(), census.has(OLD), census.other_than(OLD)) == ({}, False, None)
    fill(store, 2)
    assert (census.counts(), census.has(OLD), census.other_than(OLD)) == (
        {OLD: 2 * EACH},
        True,
        None,
    )
    store.within("elsewhere").enrol("ann", [new_reference("1")], limit=9)
    one = store.references("person 001")[0]
    store.update_embedding(one.reference_id, one.embedding, NEW)
    assert census.counts() == {OLD: 2 * EACH, NEW: 1}
    assert (census.other_than(OLD), census.other_than(NEW)) == (NEW, OLD)
    assert census.other_than("a model before") in (OLD, NEW)
    assert not census.has("model 3")


def test_an_enrolment_by_one_model_is_refused_where_there_is_another(any_store: Store) -> None:
    any_store.enrol("ann", [new_reference("1")], limit=9, one_model=True)
    any_store.enrol("ann", [new_reference("2")], limit=9, one_model=True)
    first = any_store.references("ann")[0]
    any_store.update_embedding(first.reference_id, first.embedding, NEW)
    with pytest.raises(ModelMismatch):
        any_store.enrol("ann", [new_reference("3")], limit=9, one_model=True)
    assert len(any_store.references("ann")) == 2
    any_store.enrol("ann", [new_reference("3")], limit=9)
    assert len(any_store.references("ann")) == 3
