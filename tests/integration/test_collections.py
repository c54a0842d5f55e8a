"""Any sequence of calls in several collections: each is as if it were alone."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from model.errors import SemblanceError
from service.core.errors import UnknownIdentity, UnknownReference
from service.core.ports import Store
from service.storage.memory_store import MemoryStore
from tests.integration.store_samples import new_reference
from tests.integration.vaults import GlassVault, open_store

# Names that begin alike, and one whose sign comes next after the slash.
COLLECTIONS = st.sampled_from(["default", "a", "a0", "a-b", "a_b", "ab"])
NAMES = st.sampled_from(["ann", "0", "a", "a b", "~"])


class SeparateStores(RuleBasedStateMachine):
    """One real store for all collections beside one in memory for each of them."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.real = open_store(Path(self.folder.name), GlassVault())
        self.alone: dict[str, MemoryStore] = {}

    def teardown(self) -> None:
        self.real.close()
        self.folder.cleanup()

    def same(self, collection: str, call: Callable[[Store], Any]) -> None:
        alone = self.alone.setdefault(collection, MemoryStore())
        answers = []
        for store in (self.real.within(collection), alone):
            try:
                answers.append(call(store))
            except SemblanceError as error:
                answers.append(type(error))
        assert answers[0] == answers[1]

    @rule(collection=COLLECTIONS, name=NAMES, tag=st.sampled_from("123"))
    def enrol(self, collection: str, name: str, tag: str) -> None:
        new = new_reference(tag, image_bytes=50)
        self.same(
            collection,
            lambda store: [one.duplicate for one in store.enrol(name, [new], limit=2)],
        )

    @rule(collection=COLLECTIONS, name=NAMES)
    def delete(self, collection: str, name: str) -> None:
        self.same(collection, lambda store: store.delete_identity(name))

    @rule(collection=COLLECTIONS, name=NAMES)
    def look(self, collection: str, name: str) -> None:
        self.same(
            collection,
            lambda store: [one.content_hash for one in store.references(name)],
        )

    @rule(collection=COLLECTIONS, name=NAMES)
    def fail(self, collection: str, name: str) -> None:
        self.same(collection, lambda store: store.add_failure(name))
        self.same(collection, lambda store: store.standing(name).failures)

    @rule(collection=COLLECTIONS, after=st.none() | NAMES, limit=st.integers(1, 4))
    def listed(self, collection: str, after: str | None, limit: int) -> None:
        self.same(
            collection,
            lambda store: [
                (one.identity, one.references) for one in store.identities(after, limit)
            ],
        )

    @rule(collection=COLLECTIONS)
    def counted(self, collection: str) -> None:
        self.same(collection, lambda store: store.count())
        self.same(
            collection,
            lambda store: sorted(store.embeddings("model 1", after=0, limit=99).identities),
        )

    @rule()
    def collections(self) -> None:
        used = sorted(name for name, store in self.alone.items() if store.count())
        assert self.real.collections() == used

    @rule(collection=COLLECTIONS, other=COLLECTIONS, name=NAMES)
    def a_reference_of_another(self, collection: str, other: str, name: str) -> None:
        """Its id opens nothing from elsewhere."""
        if collection == other:
            return
        try:
            (reference, *_) = self.real.within(other).references(name)
        except SemblanceError:
            return
        within = self.real.within(collection)
        before = self.real.within(other).revision(name)
        with pytest.raises((UnknownIdentity, UnknownReference)):
            within.delete_reference(name, reference.reference_id)
        with pytest.raises((UnknownIdentity, UnknownReference)):
            within.image(name, reference.reference_id)
        within.update_embedding(reference.reference_id, reference.embedding * 2, "model 2")
        assert self.real.within(other).revision(name) == before


SeparateStores.TestCase.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, derandomize=True
)
TestCollections = SeparateStores.TestCase
