"""What a search asks of each store: whose embeddings, and who has changed since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from service.core.ports import Store
from service.storage.changes import forget_changes, note_change
from service.storage.sql_store import SqlStore
from tests.integration.store_samples import new_reference
from tests.integration.vaults import open_store
from tests.postgres import Server

MODEL = "model 1"


def enrolled(store: Store, identity: str, *tags: str) -> list[str]:
    done = store.enrol(identity, [new_reference(tag) for tag in tags], limit=99)
    return [one.reference.reference_id for one in done]


def owner(store: Store, identity: str) -> int:
    page = store.embeddings(MODEL, after=0, limit=999)
    return next(o for o, name in zip(page.owners, page.identities, strict=True) if name == identity)


def test_embeddings_of_some_identities_and_of_some_references(any_store: Store) -> None:
    ann = enrolled(any_store, "ann", "1", "2")
    bob = enrolled(any_store, "bob", "3")
    elsewhere = any_store.within("shop")
    theirs = enrolled(elsewhere, "cid", "4")
    any_store.update_embedding(ann[1], np.zeros(4, np.float32), "model 2")

    page = any_store.embeddings(MODEL, after=0, limit=10)
    assert page.reference_ids == (ann[0], bob[0])
    assert len(set(page.owners)) == 2
    of_both = any_store.embeddings_of(MODEL, [*page.owners, owner(elsewhere, "cid"), 10**15])
    order = [of_both.reference_ids.index(one) for one in page.reference_ids]
    assert len(order) == len(of_both.reference_ids)
    assert tuple(of_both.owners[at] for at in order) == page.owners
    np.testing.assert_array_equal(of_both.embeddings[order], page.embeddings)
    assert any_store.embeddings_of("model 2", page.owners).reference_ids == (ann[1],)

    by_id = any_store.embeddings_by_id(MODEL, [*bob, *theirs, ann[1], "f" * 32])
    assert (by_id.identities, by_id.reference_ids) == (("bob",), tuple(bob))
    np.testing.assert_array_equal(by_id.embeddings[0], new_reference("3").embedding)
    assert any_store.embeddings_by_id(MODEL, []).reference_ids == ()


def test_many_references_are_found_by_their_ids(any_store: Store) -> None:
    ids = [
        one
        for n in range(120)
        for one in enrolled(any_store, f"{n}", *(f"{n} {i}" for i in range(10)))
    ]
    assert sorted(any_store.embeddings_by_id(MODEL, ids).reference_ids) == sorted(ids)


def test_every_kind_of_change_is_noted(any_store: Store) -> None:
    first = enrolled(any_store, "ann", "1", "2")
    enrolled(any_store, "bob", "3")
    ann, bob = owner(any_store, "ann"), owner(any_store, "bob")
    mark = any_store.changes(None).mark

    def changed() -> set[int]:
        nonlocal mark
        found = any_store.changes(mark)
        assert found.whole
        mark = found.mark
        return set(found.owners)

    assert changed() == set()
    steps: list[tuple[Callable[[], object], set[int]]] = [
        (lambda: enrolled(any_store, "ann", "4"), {ann}),
        # The same picture again, and what is only looked at.
        (lambda: enrolled(any_store, "ann", "4"), set()),
        (lambda: any_store.note_use("ann"), set()),
        (lambda: any_store.update_embedding(first[0], np.ones(4, np.float32), MODEL), {ann}),
        (lambda: any_store.delete_reference("ann", first[1]), {ann}),
        (lambda: any_store.rename("bob", "bobby"), {bob}),
        (lambda: any_store.merge("bobby", "ann", limit=99), {ann, bob}),
        (lambda: any_store.delete_identity("ann"), {ann}),
    ]
    for step, expected in steps:
        step()
        assert changed() >= expected
        assert changed() == set() or isinstance(any_store, SqlStore)
    cid = enrolled(any_store, "cid", "5")[0]
    number = owner(any_store, "cid")
    changed()
    any_store.delete_reference("cid", cid)
    assert number in changed()


@pytest.fixture
def sqlite_store(tmp_path: Path) -> SqlStore:
    return open_store(tmp_path / "data")


def test_who_has_not_looked_for_too_long_is_told(sqlite_store: SqlStore) -> None:
    enrolled(sqlite_store, "ann", "1")
    mark = sqlite_store.changes(None).mark
    for number in range(5):
        enrolled(sqlite_store, f"{number}", f"x {number}")
    assert len(sqlite_store.changes(mark).owners) == 5
    sqlite_store.forget_changes()
    assert len(sqlite_store.changes(mark).owners) == 5
    for hours in (13, -2):
        other = replace(mark, at=mark.at - hours * 3600)
        assert not sqlite_store.changes(other).whole
    with sqlite_store.engine.begin() as connection:
        assert forget_changes(connection, kept_s=-10) == 5
    # Numbers go on from the newest, which is kept.
    now = sqlite_store.changes(None).mark
    enrolled(sqlite_store, "new", "new")
    found = sqlite_store.changes(now)
    assert found.whole
    assert len(found.owners) == 1
    sqlite_store.close()


def test_a_transaction_that_ends_late_is_not_missed(postgres: Server, tmp_path: Path) -> None:
    """It has the lower number and is committed after the higher one was read."""
    store = open_store(tmp_path / "data", address=postgres.new_database())
    slow = store.engine.connect()
    try:
        mark = store.changes(None).mark
        begun = slow.begin()
        note_change(slow, 1)
        with store.engine.begin() as quick:
            note_change(quick, 2)
        seen = store.changes(mark)
        assert seen.owners == (2,)
        begun.commit()
        after = store.changes(seen.mark)
        assert 1 in after.owners
        assert store.changes(after.mark).owners == ()
    finally:
        slow.close()
        store.close()
