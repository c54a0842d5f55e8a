"""Any sequence of calls: the real store answers as the one in memory does."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from model.errors import SemblanceError
from service.core.ports import Enrolled, Reference, Store, StoredImage
from service.storage.memory_store import MemoryStore
from tests.integration.store_samples import new_reference
from tests.integration.vaults import open_store

NAMES = st.sampled_from(["a", "A", "a b", "Ünal", "日本", "😀"])
TAGS = st.lists(st.sampled_from("12345"), max_size=4)


class TwoStores(RuleBasedStateMachine):
    """Makes each call on both stores.

    Each names its references itself, so `pairs` holds which two names mean the
    same one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.memory = MemoryStore()
        self.real = open_store(Path(self.folder.name))
        self.pairs = [("0" * 32, "0" * 32)]

    def teardown(self) -> None:
        self.real.close()
        self.folder.cleanup()

    def on_both(self, call: Callable[[Store], Any]) -> tuple[Any, Any]:
        answers = []
        for store in (self.memory, self.real):
            try:
                answers.append(call(store))
            except SemblanceError as error:
                answers.append(type(error))
        assert plain(answers[0]) == plain(answers[1])
        return answers[0], answers[1]

    @rule(name=NAMES, tags=TAGS, kept=st.booleans(), limit=st.integers(0, 5))
    def enrol(self, name: str, tags: list[str], kept: bool, limit: int) -> None:
        given = [new_reference(tag, image_bytes=5000 if kept else None) for tag in tags]
        ours, theirs = self.on_both(lambda store: store.enrol(name, given, limit=limit))
        if isinstance(ours, list):
            for one, other in zip(ours, theirs, strict=True):
                pair = (one.reference.reference_id, other.reference.reference_id)
                if one.duplicate:
                    assert pair in self.pairs
                else:
                    self.pairs.append(pair)

    @rule(name=NAMES)
    def read(self, name: str) -> None:
        self.on_both(lambda store: store.references(name))
        self.on_both(lambda store: store.summary(name).references)

    @rule(after=st.none() | NAMES, limit=st.integers(0, 4))
    def page(self, after: str | None, limit: int) -> None:
        self.on_both(
            lambda store: [(s.identity, s.references) for s in store.identities(after, limit)]
        )

    @rule(name=NAMES, data=st.data())
    def image(self, name: str, data: st.DataObject) -> None:
        pair = data.draw(st.sampled_from(self.pairs))
        self.on_both(lambda store: store.image(name, self.own(store, pair)))

    @rule(data=st.data(), length=st.integers(1, 300))
    def update_embedding(self, data: st.DataObject, length: int) -> None:
        pair = data.draw(st.sampled_from(self.pairs))
        embedding = np.arange(length, dtype=np.float32)
        self.on_both(lambda store: store.update_embedding(self.own(store, pair), embedding, "new"))

    @rule(name=NAMES, data=st.data())
    def delete_reference(self, name: str, data: st.DataObject) -> None:
        pair = data.draw(st.sampled_from(self.pairs))
        self.on_both(lambda store: store.delete_reference(name, self.own(store, pair)))

    @rule(name=NAMES)
    def delete_identity(self, name: str) -> None:
        self.on_both(lambda store: store.delete_identity(name))

    @rule(name=NAMES, to=NAMES)
    def rename(self, name: str, to: str) -> None:
        if name != to:
            self.on_both(lambda store: store.rename(name, to))

    @rule(name=NAMES, into=NAMES, limit=st.integers(0, 5))
    def merge(self, name: str, into: str, limit: int) -> None:
        if name != into:
            self.on_both(lambda store: store.merge(name, into, limit=limit))

    def own(self, store: Store, pair: tuple[str, str]) -> str:
        return pair[0] if store is self.memory else pair[1]


def plain(answer: Any) -> Any:
    """An answer without what the two stores make up: names of references and times."""
    match answer:
        case list():
            return [plain(one) for one in answer]
        case Enrolled():
            return plain(answer.reference), answer.duplicate
        case Reference():
            given = (answer.fingerprint, answer.quality, answer.filename, answer.has_image)
            return answer.embedding.tobytes(), *given
        case StoredImage():
            return answer.data, answer.media_type, answer.landmarks.tobytes()
    return answer


SETTINGS = settings(
    max_examples=20, stateful_step_count=25, deadline=None, derandomize=True, database=None
)

TestTwoStores = TwoStores.TestCase
TestTwoStores.settings = SETTINGS


@pytest.mark.long
def test_two_stores_for_longer() -> None:
    run_state_machine_as_test(TwoStores, settings=settings(SETTINGS, max_examples=80))
