"""Renaming and merging, as every store does them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from model.errors import SemblanceError
from service.core.errors import (
    IdentityExists,
    ModelMismatch,
    TooManyReferences,
    UnknownIdentity,
    UnknownReference,
)
from service.core.ports import About, NewReference, Reference, Store
from tests.integration.store_samples import new_reference
from tests.integration.vaults import open_store

SAID = About("paper 7", {"team": "A"})


@pytest.fixture
def store(any_store: Store) -> Store:
    return any_store


def enrol(store: Store, identity: str, *tags: str, about: About | None = None) -> list[str]:
    given = [new_reference(tag, filename=f"{tag}.jpg") for tag in tags]
    enrolled = store.enrol(identity, given, limit=99, about=about)
    return [one.reference.reference_id for one in enrolled]


def is_whole(store: Store, identity: str, reference: Reference, given: NewReference) -> None:
    """All that was stored is read back under this name, picture and landmarks, too."""
    np.testing.assert_array_equal(reference.embedding, given.embedding)
    assert (reference.content_hash, reference.filename) == (given.content_hash, given.filename)
    image = store.image(identity, reference.reference_id)
    assert image is not None
    assert image.data == given.image
    np.testing.assert_array_equal(image.landmarks, given.landmarks)


def names(store: Store) -> list[str]:
    return [summary.identity for summary in store.identities(None, 99)]


def test_a_renamed_identity_has_all_it_had(store: Store) -> None:
    ids = enrol(store, "ada", "1", "2", about=SAID)
    store.add_failure("ada")
    store.note_use("ada")
    store.add_failure("ada")
    before, created_at = store.standing("ada"), store.summary("ada").created_at
    revision = store.revision("ada")
    store.rename("ada", "grace")

    assert names(store) == ["grace"]
    with pytest.raises(UnknownIdentity):
        store.references("ada")
    found = store.references("grace")
    assert [one.reference_id for one in found] == ids
    for reference, tag in zip(found, "12", strict=True):
        is_whole(store, "grace", reference, new_reference(tag, filename=f"{tag}.jpg"))
    assert store.about("grace") == SAID
    assert store.standing("grace") == before
    assert store.summary("grace").created_at == created_at
    assert store.revision("grace") != revision
    # It goes on as any other: the same picture is known, another one is not.
    again = store.enrol("grace", [new_reference("1"), new_reference("3")], limit=3)
    assert [one.duplicate for one in again] == [True, False]
    store.update_embedding(ids[0], np.zeros(4, np.float32), "model 2")
    assert store.references("grace")[0].fingerprint == "model 2"


def test_the_old_name_is_free_and_is_somebody_else(store: Store) -> None:
    enrol(store, "ada", "1")
    store.rename("ada", "grace")
    revisions = {store.revision("grace")}
    enrol(store, "ada", "2")
    revisions.add(store.revision("ada"))
    assert len(revisions) == 2
    assert store.standing("ada").failures == 0
    store.delete_identity("ada")
    assert store.summary("grace").references == 1


def test_a_name_that_is_taken_is_refused_and_nothing_changes(store: Store) -> None:
    enrol(store, "ada", "1")
    enrol(store, "grace", "2")
    revisions = store.revision("ada"), store.revision("grace")
    with pytest.raises(IdentityExists):
        store.rename("ada", "grace")
    with pytest.raises(UnknownIdentity):
        store.rename("nobody", "somebody")
    assert (store.revision("ada"), store.revision("grace")) == revisions
    assert names(store) == ["ada", "grace"]


def test_renaming_stays_within_a_collection(store: Store) -> None:
    other = store.within("shop")
    enrol(store, "ada", "1")
    enrol(other, "grace", "2")
    store.rename("ada", "grace")
    assert (names(store), names(other)) == (["grace"], ["grace"])
    with pytest.raises(UnknownIdentity):
        other.merge("grace", "ada", limit=9)


def test_merging_moves_all_and_keeps_a_common_picture_once(store: Store) -> None:
    first = enrol(store, "ada", "1", "2")
    second = enrol(store, "grace", "2", "3")
    third = enrol(store, "ada", "4")
    revision = store.revision("grace")
    assert store.merge("ada", "grace", limit=4) == 2

    assert names(store) == ["grace"]
    found = store.references("grace")
    # The order of enrolment, whoever's it was.
    assert [one.reference_id for one in found] == [first[0], *second, third[0]]
    for reference, tag in zip(found, "1234", strict=True):
        is_whole(store, "grace", reference, new_reference(tag, filename=f"{tag}.jpg"))
    assert store.revision("grace") != revision
    with pytest.raises(UnknownReference):
        store.image("grace", first[1])
    assert store.enrol("grace", [new_reference("1")], limit=4)[0].duplicate
    assert store.enrol("ada", [new_reference("1")], limit=4)[0].duplicate is False


def test_no_failure_is_lost_by_merging(store: Store) -> None:
    for one, other, tag in (("a", "b", "1"), ("c", "d", "2")):
        enrol(store, one, tag)
        enrol(store, other, f"{tag}+")
        failed, into = (one, other) if one == "a" else (other, one)
        for _ in range(3):
            store.add_failure(failed)
        store.note_use(into)
        store.add_failure(into)
        used_at = store.standing(into).used_at
        time.sleep(0.01)
        store.redate_failure(failed)
        failed_at = store.standing(failed).failed_at
        store.merge(one, other, limit=9)
        merged = store.standing(other)
        assert (merged.failures, merged.failed_at, merged.used_at) == (3, failed_at, used_at)


def test_what_was_said_stays_and_is_taken_only_where_nothing_was(store: Store) -> None:
    enrol(store, "ada", "1", about=SAID)
    enrol(store, "grace", "2")
    store.merge("ada", "grace", limit=9)
    assert store.about("grace") == SAID
    enrol(store, "eve", "3", about=About("other paper"))
    store.merge("eve", "grace", limit=9)
    assert store.about("grace") == SAID


def test_a_merge_that_is_refused_changes_nothing(store: Store) -> None:
    enrol(store, "ada", "1", "2")
    enrol(store, "grace", "3")
    revisions = store.revision("ada"), store.revision("grace")
    with pytest.raises(TooManyReferences):
        store.merge("ada", "grace", limit=2)
    for pair in (("nobody", "ada"), ("ada", "nobody")):
        with pytest.raises(UnknownIdentity):
            store.merge(*pair, limit=9)
    assert (store.revision("ada"), store.revision("grace")) == revisions
    assert [store.summary(name).references for name in ("ada", "grace")] == [2, 1]
    # As at enrolment: what adds nothing is not too much.
    enrol(store, "twin", "3")
    assert store.merge("twin", "grace", limit=0) == 0


def test_models_are_mixed_only_where_pictures_are_kept(store: Store) -> None:
    bare, kept = new_reference("1", image_bytes=None), new_reference("2")
    (enrolled,) = store.enrol("ada", [bare], limit=9)
    (other,) = store.enrol("grace", [kept], limit=9)
    store.update_embedding(other.reference.reference_id, kept.embedding, "model 2")
    with pytest.raises(ModelMismatch):
        store.merge("ada", "grace", limit=9)
    store.update_embedding(enrolled.reference.reference_id, bare.embedding, "model 2")
    assert store.merge("ada", "grace", limit=9) == 1


def test_two_that_go_into_each_other_at_once_are_one_in_the_end(store: Store) -> None:
    """And neither waits for the other for ever."""
    for turn in range(5):
        enrol(store, "a", f"{turn} a")
        enrol(store, "b", f"{turn} b")

        def merge(pair: tuple[str, str]) -> int | type[SemblanceError]:
            try:
                return store.merge(*pair, limit=99)
            except SemblanceError as error:
                return type(error)

        with ThreadPoolExecutor(2) as pool:
            done = list(pool.map(merge, (("a", "b"), ("b", "a"))))
        assert sorted(map(str, done)) == sorted(["1", str(UnknownIdentity)])
        (left,) = names(store)
        assert store.summary(left).references == 2
        store.delete_identity(left)


def test_of_two_that_want_one_name_one_gets_it(store: Store) -> None:
    for turn in range(5):
        for name in "ab":
            enrol(store, name, f"{turn} {name}")

        def rename(name: str, store: Store = store) -> type[SemblanceError] | None:
            try:
                store.rename(name, "c")
            except SemblanceError as error:
                return type(error)
            return None

        with ThreadPoolExecutor(2) as pool:
            done = list(pool.map(rename, "ab"))
        assert sorted(map(str, done)) == sorted([str(None), str(IdentityExists)])
        for name in names(store):
            store.delete_identity(name)


def test_after_a_merge_the_key_of_who_is_gone_opens_nothing_any_more(tmp_path: Path) -> None:
    with closing(open_store(tmp_path)) as store:
        enrol(store, "ada", "1")
        enrol(store, "grace", "2")
        before = store.data_keys.ids()
        store.merge("ada", "grace", limit=9)
        assert len(store.data_keys.ids() & before) == 1
        enrol(store, "ada", "3")
        store.rename("ada", "eve")
        assert len(store.data_keys.ids()) == 2
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    # Names are in clear in the database: an old one is not left over in it.
    assert b"default/eve" in content
    assert b"default/ada" not in content
