"""When the old model goes, and what is said of one that is missing."""

from __future__ import annotations

import logging
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from model.artifact import Artifact
from service.api.state import AtWork, Running
from service.core.core import Core, Loaded
from service.core.policy import Policy
from service.model_change import Watch, drop_old
from service.settings import Settings
from tests.unit.cosine_head import Cosine

NOWHERE = cast(Any, None)


@dataclass
class Counted:
    """A census of numbers that a test sets."""

    by_model: dict[str, int] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        return self.by_model

    def has(self, fingerprint: str) -> bool:
        return self.by_model.get(fingerprint, 0) > 0

    def other_than(self, fingerprint: str) -> str | None:
        return next((one for one in self.by_model if one != fingerprint), None)


@pytest.fixture
def olds(sface_artifact: Artifact) -> str:
    return sface_artifact.manifest.fingerprint


@pytest.fixture
def news(artifact: Artifact) -> str:
    return artifact.manifest.fingerprint


def at_work(old: Artifact, new: Artifact | None, census: Counted) -> AtWork:
    following = None
    if new is not None:
        following = Loaded(Cosine(new.manifest), NOWHERE, "the next", "8-bit")
    core = Core(Cosine(old.manifest), NOWHERE, NOWHERE, Policy(), next=following)
    settings = Settings.model_validate({"next_artifact": "models/next"})
    return AtWork(Running(core, settings, "the first", "float32", NOWHERE, NOWHERE, census=census))


def test_the_old_model_goes_with_its_last_reference(
    sface_artifact: Artifact,
    artifact: Artifact,
    olds: str,
    news: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    census = Counted({olds: 1, news: 5})
    service = at_work(sface_artifact, artifact, census)
    old = weakref.ref(service.running.core.model)
    assert not drop_old(service)
    assert service.running.core.fingerprint == olds
    census.by_model = {news: 6, "of long ago": 1}
    begun = service.running
    with caplog.at_level(logging.INFO):
        assert drop_old(service)
    running = service.running
    assert (running.core.fingerprint, running.core.next) == (news, None)
    assert (running.runtime, running.precision) == ("the next", "8-bit")
    assert running.core.each() == (running.core,)
    # A request that has begun ends with the model that it began with; then it is free.
    assert begun.core.model is old()
    del begun
    assert old() is None
    assert not drop_old(service)
    ((_, _, said),) = caplog.record_tuples
    assert f"SEMBLANCE_ARTIFACT can be set to '{Path('models/next')}'" in said


def test_without_a_next_model_or_a_census_nothing_goes(
    sface_artifact: Artifact, artifact: Artifact
) -> None:
    assert not drop_old(at_work(sface_artifact, None, Counted()))
    assert not drop_old(at_work(sface_artifact, artifact, NOWHERE))
    # Nobody is enrolled at all: nothing keeps the old one.
    assert drop_old(at_work(sface_artifact, artifact, Counted()))


def test_references_of_a_model_that_is_missing_are_told_of_once(
    sface_artifact: Artifact, olds: str, news: str, caplog: pytest.LogCaptureFixture
) -> None:
    census = Counted({olds: 3})
    running = at_work(sface_artifact, None, census).running
    watch = Watch()
    watch.look(running)
    assert caplog.records == []
    census.by_model[news] = 1
    for _ in range(3):
        watch.look(running)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert news in record.getMessage()


def test_a_next_model_that_is_loaded_is_none_that_is_missing(
    sface_artifact: Artifact,
    artifact: Artifact,
    olds: str,
    news: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    Watch().look(at_work(sface_artifact, artifact, Counted({olds: 3, news: 1})).running)
    assert caplog.records == []
