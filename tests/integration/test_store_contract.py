"""What every store does, asked of the one in memory and of the real one."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from service.core.errors import TooManyReferences, UnknownIdentity, UnknownReference
from service.core.ports import Enrolled, NewReference, Store
from tests.integration.store_samples import new_reference


@pytest.fixture
def store(any_store: Store) -> Store:
    return any_store


def enrol_one(store: Store, identity: str, tag: str) -> Enrolled:
    (enrolled,) = store.enrol(identity, [new_reference(tag)], limit=1000)
    return enrolled


def names(store: Store, after: str | None = None, limit: int = 1000) -> list[str]:
    return [summary.identity for summary in store.identities(after, limit)]


def test_an_enrolment_is_answered_in_its_order_and_read_back(store: Store) -> None:
    before = datetime.now(UTC)
    given = [new_reference("1", filename="é /../1.jpg"), new_reference("2", image_bytes=None)]
    enrolled = store.enrol("ann", given, limit=2)
    stored = store.references("ann")

    assert [one.duplicate for one in enrolled] == [False, False]
    assert len({one.reference.reference_id for one in enrolled}) == 2
    for new, answered, read in zip(given, enrolled, stored, strict=True):
        for reference in (answered.reference, read):
            assert re.fullmatch("[0-9a-f]{32}", reference.reference_id)
            np.testing.assert_array_equal(reference.embedding, new.embedding)
            assert reference.embedding.dtype == np.float32
            assert reference.content_hash == new.content_hash
            assert reference.fingerprint == new.fingerprint
            assert reference.quality == new.quality
            assert reference.filename == new.filename
            assert reference.has_image == (new.image is not None)
            assert reference.created_at.utcoffset() == timedelta(0)
            assert before <= reference.created_at <= datetime.now(UTC)
        assert answered.reference.reference_id == read.reference_id
        assert answered.reference.created_at == read.created_at


def test_references_are_oldest_first(store: Store) -> None:
    ids = [enrol_one(store, "ann", str(tag)).reference.reference_id for tag in range(20)]
    assert [reference.reference_id for reference in store.references("ann")] == ids


def test_no_references_make_no_identity(store: Store) -> None:
    assert store.enrol("ann", [], limit=5) == []
    assert names(store) == []


def test_the_same_image_again_is_answered_with_the_stored_one(store: Store) -> None:
    first = enrol_one(store, "ann", "1").reference
    other = new_reference("2")
    again = store.enrol("ann", [other, new_reference("1"), other], limit=2)

    assert [one.duplicate for one in again] == [False, True, True]
    assert again[1].reference.reference_id == first.reference_id
    assert again[1].reference.created_at == first.created_at
    assert again[2].reference.reference_id == again[0].reference.reference_id
    assert store.summary("ann").references == 2


def test_a_duplicate_is_answered_as_it_is_stored_not_as_it_is_given(store: Store) -> None:
    (first,) = store.enrol("ann", [new_reference("1", filename="first.jpg")], limit=5)
    moved = np.zeros(4, np.float32)
    store.update_embedding(first.reference.reference_id, moved, "model 2")
    (again,) = store.enrol("ann", [new_reference("1", image_bytes=None)], limit=5)

    assert again.duplicate
    assert again.reference.filename == "first.jpg"
    assert again.reference.fingerprint == "model 2"
    assert again.reference.has_image
    np.testing.assert_array_equal(again.reference.embedding, moved)


def test_two_identities_may_have_the_same_image(store: Store) -> None:
    first, second = enrol_one(store, "ann", "1"), enrol_one(store, "bob", "1")
    assert not second.duplicate
    assert first.reference.reference_id != second.reference.reference_id


def test_more_than_the_limit_is_refused_and_nothing_of_it_is_kept(store: Store) -> None:
    enrol_one(store, "ann", "1")
    with pytest.raises(TooManyReferences):
        store.enrol("ann", [new_reference(tag) for tag in "234"], limit=3)
    assert store.summary("ann").references == 1
    with pytest.raises(TooManyReferences):
        store.enrol("new", [new_reference("1")], limit=0)
    assert names(store) == ["ann"]


def test_the_limit_counts_only_what_is_new(store: Store) -> None:
    three = [new_reference(tag) for tag in "123"]
    store.enrol("ann", three, limit=3)
    assert all(one.duplicate for one in store.enrol("ann", three, limit=3))
    # Also when the limit was lowered since.
    assert all(one.duplicate for one in store.enrol("ann", three, limit=1))
    assert len(store.enrol("bob", [three[0], three[0]], limit=1)) == 2


def test_an_embedding_is_replaced(store: Store) -> None:
    first, second = (enrol_one(store, "ann", tag).reference for tag in "12")
    embedding = np.arange(64, dtype=np.float32)
    store.update_embedding(first.reference_id, embedding, "model 2")
    stored = store.references("ann")

    np.testing.assert_array_equal(stored[0].embedding, embedding)
    np.testing.assert_array_equal(stored[1].embedding, second.embedding)
    assert [reference.fingerprint for reference in stored] == ["model 2", "model 1"]


def test_replacing_the_embedding_of_a_reference_that_is_gone_does_nothing(store: Store) -> None:
    enrol_one(store, "ann", "1")
    store.update_embedding("0" * 32, np.zeros(4, np.float32), "model 2")
    assert store.references("ann")[0].fingerprint == "model 1"


def test_what_a_caller_does_to_its_arrays_does_not_reach_the_store(store: Store) -> None:
    given = new_reference("1")
    expected = given.embedding.copy()
    (enrolled,) = store.enrol("ann", [given], limit=5)
    given.embedding[:] = 0
    np.testing.assert_array_equal(enrolled.reference.embedding, expected)
    store.references("ann")[0].embedding[:] = 0
    np.testing.assert_array_equal(store.references("ann")[0].embedding, expected)


def test_embeddings_of_everybody_come_in_pages_in_order_of_enrolment(store: Store) -> None:
    assert store.count() == 0
    assert store.embeddings("model 1", after=0, limit=5).identities == ()
    people = [f"person {number % 3}" for number in range(11)]
    enrolled = [enrol_one(store, name, str(tag)) for tag, name in enumerate(people)]
    assert store.count() == 11
    for limit in (1, 4, 11, 12):
        pages, after = [], 0
        while True:
            page = store.embeddings("model 1", after=after, limit=limit)
            assert len(page.identities) == len(page.reference_ids) == len(page.embeddings) <= limit
            assert page.embeddings.dtype == np.float32
            pages.append(page)
            if page.position is None:
                break
            after = page.position
        assert [name for page in pages for name in page.identities] == people
        ids = [one for page in pages for one in page.reference_ids]
        assert ids == [one.reference.reference_id for one in enrolled]
        expected = np.stack([one.reference.embedding for one in enrolled])
        found = np.concatenate([page.embeddings for page in pages if page.identities])
        np.testing.assert_array_equal(found, expected)


def test_pages_hold_embeddings_of_one_model_and_of_those_who_are_there(store: Store) -> None:
    first, second, third = (enrol_one(store, "ann", tag).reference for tag in "123")
    moved = np.arange(64, dtype=np.float32)
    store.update_embedding(second.reference_id, moved, "model 2")
    page = store.embeddings("model 1", after=0, limit=10)
    assert page.reference_ids == (first.reference_id, third.reference_id)
    (other,) = store.embeddings("model 2", after=0, limit=10).embeddings
    np.testing.assert_array_equal(other, moved)
    page = store.embeddings("model 1", after=0, limit=1)
    assert page.position is not None
    store.delete_reference("ann", third.reference_id)
    enrol_one(store, "bob", "4")
    assert store.count() == 3
    assert store.embeddings("model 1", after=page.position, limit=9).identities == ("bob",)
    store.delete_identity("ann")
    assert store.count() == 1
    assert store.embeddings("model 2", after=0, limit=9).position is None


def test_a_summary_counts_and_keeps_the_day_of_the_first_enrolment(store: Store) -> None:
    first = enrol_one(store, "ann", "1").reference
    enrol_one(store, "ann", "2")
    store.delete_reference("ann", first.reference_id)
    summary = store.summary("ann")
    assert (summary.identity, summary.references) == ("ann", 1)
    assert summary.created_at == first.created_at


ODD_NAMES = [
    "a b",
    "A",
    "a",
    "",
    "Ünal",
    "ünal",
    "U\u0308nal",
    "日本",
    "\uffee",
    "😀",
    "a%",
    "a_",
    "'",
]


def test_names_are_told_apart_by_code_point_and_paged_in_that_order(store: Store) -> None:
    for name in ODD_NAMES:
        enrol_one(store, name, name)
    in_order = sorted(ODD_NAMES)
    assert names(store) == in_order
    paged: list[str] = []
    while page := names(store, paged[-1] if paged else None, 4):
        assert len(page) <= 4
        paged += page
    assert paged == in_order
    assert names(store, "Z") == [name for name in in_order if name > "Z"]
    for name in ODD_NAMES:
        assert store.summary(name).references == 1


def test_an_image_is_read_back(store: Store) -> None:
    given = new_reference("1", image_bytes=300_000)
    (enrolled,) = store.enrol("ann", [given], limit=5)
    image = store.image("ann", enrolled.reference.reference_id)
    assert image is not None
    assert image.data == given.image
    assert image.media_type == "image/jpeg"
    assert image.landmarks.dtype == np.float32
    np.testing.assert_array_equal(image.landmarks, given.landmarks)


def test_no_image_where_none_is_kept(store: Store) -> None:
    (enrolled,) = store.enrol("ann", [new_reference("1", image_bytes=None)], limit=5)
    assert store.image("ann", enrolled.reference.reference_id) is None


def test_deleting_an_identity(store: Store) -> None:
    for tag in "123":
        enrol_one(store, "ann", tag)
    enrol_one(store, "bob", "1")
    assert store.delete_identity("ann") == 3
    assert names(store) == ["bob"]
    with pytest.raises(UnknownIdentity):
        store.references("ann")
    assert not enrol_one(store, "ann", "1").duplicate


def test_deleting_references_and_with_the_last_one_the_identity(store: Store) -> None:
    first, second = (enrol_one(store, "ann", tag).reference for tag in "12")
    store.delete_reference("ann", first.reference_id)
    assert [one.reference_id for one in store.references("ann")] == [second.reference_id]
    with pytest.raises(UnknownReference):
        store.image("ann", first.reference_id)
    store.delete_reference("ann", second.reference_id)
    assert names(store) == []
    with pytest.raises(UnknownIdentity):
        store.delete_reference("ann", second.reference_id)


def test_an_unknown_identity(store: Store) -> None:
    enrol_one(store, "Ann", "1")
    for name in ("ann", "Ann ", "Ann\0", ""):
        with pytest.raises(UnknownIdentity):
            store.references(name)
        with pytest.raises(UnknownIdentity):
            store.summary(name)
        with pytest.raises(UnknownIdentity):
            store.image(name, "0" * 32)
        with pytest.raises(UnknownIdentity):
            store.delete_identity(name)
        with pytest.raises(UnknownIdentity):
            store.delete_reference(name, "0" * 32)


def test_a_reference_of_another_identity_is_unknown(store: Store) -> None:
    enrol_one(store, "ann", "1")
    of_bob = enrol_one(store, "bob", "2").reference.reference_id
    for reference_id in (of_bob, "0" * 32, "", of_bob.upper() + "x"):
        with pytest.raises(UnknownReference):
            store.image("ann", reference_id)
        with pytest.raises(UnknownReference):
            store.delete_reference("ann", reference_id)
    assert store.summary("bob").references == 1


def test_the_owner_of_a_reference_is_found_within_its_collection_alone(store: Store) -> None:
    reference_id = enrol_one(store, "ann/ü", "1").reference.reference_id
    enrol_one(store, "bob", "2")
    assert store.owner_of(reference_id) == "ann/ü"
    store.rename("ann/ü", "cy")
    assert store.owner_of(reference_id) == "cy"
    for other, name in ((store.within("shop"), reference_id), (store, "0" * 32), (store, "../x")):
        with pytest.raises(UnknownReference):
            other.owner_of(name)
    store.delete_reference("cy", reference_id)
    with pytest.raises(UnknownReference):
        store.owner_of(reference_id)


def test_the_latest_failure_is_dated_anew(store: Store) -> None:
    store.enrol("ann", [new_reference("1")], limit=5)
    store.redate_failure("ann")
    assert store.standing("ann").failed_at is None
    store.add_failure("ann")
    before = store.standing("ann")
    store.redate_failure("ann")
    after = store.standing("ann")
    assert before.failed_at is not None
    assert after.failed_at is not None
    assert after.failed_at > before.failed_at
    assert after.failures == 1
    with pytest.raises(UnknownIdentity):
        store.redate_failure("nobody")


def test_a_store_in_order_passes_its_check(store: Store) -> None:
    store.check()
    enrol_one(store, "ann", "1")
    store.check()
    assert names(store) == ["ann"]


def test_eight_threads_enrol_one_new_identity(store: Store) -> None:
    def enrol(tag: int) -> Enrolled:
        return enrol_one(store, "ann", str(tag))

    # Each image twice: one of the two is the duplicate of the other.
    with ThreadPoolExecutor(8) as pool:
        enrolled = list(pool.map(enrol, [*range(40), *range(40)]))
    assert sum(one.duplicate for one in enrolled) == 40
    for one, again in zip(enrolled[:40], enrolled[40:], strict=True):
        assert one.reference.reference_id == again.reference.reference_id
    assert store.summary("ann").references == 40


def test_eight_threads_never_pass_the_limit(store: Store) -> None:
    def enrol(given: list[NewReference]) -> int:
        try:
            return len(store.enrol("ann", given, limit=7))
        except TooManyReferences:
            return 0

    calls = [[new_reference(f"{call} {one}") for one in range(2)] for call in range(16)]
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(enrol, calls)) == 6
    assert store.summary("ann").references == 6


def test_eight_threads_enrol_read_and_delete(store: Store) -> None:
    def work(worker: int) -> None:
        for turn in range(6):
            mine = enrol_one(store, "shared", f"{worker} {turn}").reference.reference_id
            enrol_one(store, f"own {worker}", str(turn))
            assert mine in {one.reference_id for one in store.references("shared")}
            store.check()
            store.delete_reference("shared", mine)
        assert store.delete_identity(f"own {worker}") == 6

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert names(store) == []
