"""The bench of conflicts on people made up so that the right figures are known."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from bench.conflicts import REQUESTS, main, reported, searched, tables, times
from model.artifact import Artifact
from service.core.core import Core
from service.core.policy import Policy
from service.storage.memory_store import MemoryStore
from tests.unit.cosine_head import Cosine
from training.data.errors import DataError
from training.pictures import Embedded

PEOPLE, PICTURES, DRAWS = 6, 12, 40


@pytest.fixture
def core(artifact: Artifact) -> Core:
    detector: object = None  # no picture is looked at here
    return Core(Cosine(artifact.manifest), detector, MemoryStore(), Policy())  # type: ignore[arg-type]


def people(axes: list[int], pictures: int = PICTURES) -> Embedded:
    """So many pictures of a person for each axis; those of one axis score 1, of two 0."""
    embeddings = np.repeat(np.eye(max(axes) + 1, dtype=np.float32)[axes], pictures, axis=0)
    identities = np.repeat([f"person {number}" for number in range(len(axes))], pictures)
    names = tuple(f"{name}/{number}.jpg" for number, name in enumerate(identities))
    return Embedded(names, identities, embeddings, ())


@pytest.mark.parametrize(("stored", "new"), REQUESTS)
def test_of_people_far_apart_the_wrong_picture_alone_is_reported(
    core: Core, stored: int, new: int
) -> None:
    found = reported(core.model, people(list(range(PEOPLE))), stored, new, DRAWS)
    assert found is not None
    right, wrong, beside = found
    assert (right, wrong) == (0, 1)
    # Of two that disagree nothing tells which is right; of one more, none is beside it.
    assert np.isnan(beside) if new == 1 else beside == (1 if new == 2 else 0)


def test_of_people_who_look_the_same_nobody_is_reported(core: Core) -> None:
    assert reported(core.model, people([0] * PEOPLE), 0, 5, DRAWS) == (0, 0, 0)


def test_pictures_of_one_name_that_do_not_match_are_all_reported(core: Core) -> None:
    loners = people(list(range(PEOPLE * 3)), 1)
    strangers = Embedded(loners.names, np.repeat(["a", "b", "c"], 6), loners.embeddings, ())
    assert reported(core.model, strangers, 0, 3, DRAWS) == (1, 1, 1)


def test_a_share_is_of_identities_however_many_pictures_each_has(core: Core) -> None:
    """One of four identities is two people in equal parts; so is the share counted by hand."""
    whole = people([0, 1, 2, 3], 12)
    embeddings = whole.embeddings.copy()
    embeddings[:6] = np.roll(embeddings[:6], -1, axis=1)  # the first half of person 0
    mixed = Embedded(whole.names, whole.identities, embeddings, ())
    found = reported(core.model, mixed, 0, 2, 2000)
    # Both of a pair are reported when they are of two halves: 6/11 of the pairs.
    assert found is not None
    assert found[0] == pytest.approx(6 / 11 / 4, abs=0.03)


def test_who_is_enrolled_is_found_and_a_stranger_is_not(core: Core) -> None:
    apart = people(list(range(PEOPLE)))
    assert searched(core, apart, 3, DRAWS) == (PEOPLE / 2 * 3, 1, 0)
    assert searched(core, people([0] * PEOPLE), 3, DRAWS) == (PEOPLE / 2 * 3, 1, 1)
    assert core.store.count() == 0


def test_too_few_people_or_pictures_make_no_row(core: Core) -> None:
    assert reported(core.model, people([0, 1], 4), 0, 5, DRAWS) is None
    assert reported(core.model, people([0]), 0, 2, DRAWS) is None
    assert searched(core, people([0, 1], 3), 3, DRAWS) is None
    with pytest.raises(DataError, match="expected more people"):
        tables(core, people([0]), DRAWS)


def test_the_tables_have_a_row_for_each_request_that_can_be_drawn(core: Core) -> None:
    text = tables(core, people(list(range(PEOPLE)), 5), 5)
    assert text.startswith(f"{PEOPLE} identities, {PEOPLE * 5} pictures\n")
    assert "| 5 at once, all new | 0.0 % | 100.0 % | 0.0 % |" in text
    assert "| one more to 1 stored | 0.0 % | 100.0 % |  |" in text
    assert "10 at once" not in text
    assert "| 3 | 9 | 100.0 % | 0.0 % |" in text


def test_the_search_is_timed_with_so_many_references_stored(core: Core) -> None:
    for stored in (0, 130):
        rows = times(core, stored)
        assert [row[:2] for row in rows] == [(f"{stored}", "1"), (f"{stored}", "5")]
        assert all(float(cell.removesuffix(" ms")) > 0 for row in rows for cell in row[2:])


def test_a_folder_without_identities_is_one_sentence(
    artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["bench.conflicts", str(artifact.folder), "--data", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit, match="expected a folder for each identity"):
        main()
