"""Tower and detector in batches across threads: what comes out is what comes out alone."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import cv2
import numpy as np
import pytest

from model.artifact import Artifact
from model.faces import Detector, Face
from model.landmarks import SIDE_PX
from model.runtimes.batched import Batched, Item
from model.runtimes.batches import Batches
from model.runtimes.network import model_threads
from model.runtimes.openvino_runtime import OpenVinoRuntime
from model.types import Image
from tests.compiling import compiling
from tests.faces import Faces
from tests.integration.real_chips import augmented_chips
from tests.pictures import rgb, without_face

MOST = 4
THREADS = 32
LIMIT_S = 120
COSINE = 1e-5

Given = TypeVar("Given")
Found = TypeVar("Found")


@dataclass
class Sizes:
    """Of the batches that were run, by their number of rows an item."""

    seen: Counter[int] = field(default_factory=Counter)


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> Sizes:
    found = Sizes()
    run = Batched.run

    def noted(self: Batched, items: Sequence[Item], thread: int) -> list[Any]:
        found.seen[len(items)] += 1
        return run(self, items, thread)

    monkeypatch.setattr(Batched, "run", noted)
    return found


@pytest.fixture(params=["artifact", pytest.param("sface_artifact", marks=pytest.mark.long)])
def built(request: pytest.FixtureRequest) -> Artifact:
    found: Artifact = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def batches() -> Iterator[Batches]:
    made = Batches(model_threads())
    yield made
    made.close()


def busy() -> bool:
    return True


def by_threads(ask: Callable[[Given], Found], items: Sequence[Given], sizes: Sizes) -> list[Found]:
    """What each item is answered, when batches of every size are run."""
    ends = time.monotonic() + LIMIT_S
    with ThreadPoolExecutor(THREADS) as pool:
        while True:
            sizes.seen.clear()
            found = list(pool.map(ask, items))
            if sizes.seen[MOST] and sizes.seen[1] + sizes.seen[2] and not compiling():
                return found
            assert time.monotonic() < ends


def test_an_embedding_is_the_same_in_a_batch_of_others(
    built: Artifact, faces: Faces, batches: Batches, sizes: Sizes
) -> None:
    chips = augmented_chips(faces, built, 50)
    alone = OpenVinoRuntime(built).embed(chips)
    runtime = OpenVinoRuntime(built, several=busy, batches=batches, most_batched=MOST)
    found = np.stack(by_threads(lambda row: runtime.embed(chips[[row]])[0], range(50), sizes))
    assert (found * alone).sum(axis=1).min() > 1 - COSINE
    scores = np.stack([runtime.score(row, alone) for row in found])
    assert np.abs(scores - np.stack([runtime.score(row, alone) for row in alone])).max() < 1e-3
    print(f"batches {dict(sizes.seen)}, largest difference {np.abs(found - alone).max():.1e}")


def looks(faces: Faces) -> list[Image]:
    """Pictures of two sizes, some with a face and one without."""
    whole = [rgb(faces.read(name)) for name in ("obama.jpg", "biden.jpg", "astronaut.png")]
    sizes = ((640, 480), (320, 320))
    pictures = [
        cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        for size in sizes
        for picture in whole
    ]
    return [*pictures, without_face(480, 640)]


def same(some: list[Face], others: list[Face]) -> bool:
    return len(some) == len(others) and all(
        np.abs(one.landmarks - other.landmarks).max() < 1e-2
        and abs(one.confidence - other.confidence) < 1e-4
        for one, other in zip(some, others, strict=True)
    )


def test_faces_are_the_same_in_a_batch_of_other_pictures(
    sface_artifact: Artifact, faces: Faces, batches: Batches, sizes: Sizes
) -> None:
    pictures = looks(faces)
    alone = Detector(sface_artifact.detector)
    detector = Detector(sface_artifact.detector, several=busy, batches=batches, most_batched=MOST)
    for one in (alone, detector):
        one.prepare((480, 640))  # 320 x 320 is left to the network for any size
    expected = [alone.detect(picture) for picture in pictures]
    assert [len(found) for found in expected] == [1, 1, 1, 1, 1, 1, 0]
    order = [number % len(pictures) for number in range(70)]
    found = by_threads(lambda number: detector.detect(pictures[number]), order, sizes)
    assert all(same(found[place], expected[number]) for place, number in enumerate(order))


def test_second_looks_of_several_faces_go_together(
    sface_artifact: Artifact, faces: Faces, batches: Batches, sizes: Sizes
) -> None:
    pictures = [
        cv2.resize(rgb(faces.read(name)), (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA)
        for name in ("obama.jpg", "biden.jpg", "astronaut.png")
    ]
    pairs = [np.stack([one, cv2.flip(one, 1)]) for one in pictures]
    alone = Detector(sface_artifact.detector)
    detector = Detector(sface_artifact.detector, several=busy, batches=batches, most_batched=MOST)
    expected = [alone.look(pair) for pair in pairs]
    order = [number % 3 for number in range(60)]
    found = by_threads(lambda number: detector.look(pairs[number]), order, sizes)
    for place, number in enumerate(order):
        assert all(map(same, found[place], expected[number]))


def test_a_picture_that_cannot_be_taken_spoils_no_other(
    sface_artifact: Artifact, faces: Faces, batches: Batches
) -> None:
    chips = augmented_chips(faces, sface_artifact, 40)
    runtime = OpenVinoRuntime(sface_artifact, several=busy, batches=batches, most_batched=MOST)
    expected = OpenVinoRuntime(sface_artifact).embed(chips)
    bad = np.zeros((1, 50, 50, 3), np.uint8)

    def embedded(row: int) -> float | None:
        try:
            found = runtime.embed(bad if row % 5 == 4 else chips[[row]])
        except RuntimeError:
            return None
        return float((found[0] * expected[row]).sum())

    for _ in range(5):
        with ThreadPoolExecutor(THREADS) as pool:
            found = list(pool.map(embedded, range(40)))
        assert [row for row in range(40) if found[row] is None] == list(range(4, 40, 5))
        assert min(cosine for cosine in found if cosine is not None) > 1 - COSINE


def test_one_request_alone_is_run_by_its_own_thread(
    sface_artifact: Artifact, faces: Faces, batches: Batches, sizes: Sizes
) -> None:
    chips = augmented_chips(faces, sface_artifact, 1)
    runtime = OpenVinoRuntime(
        sface_artifact, several=lambda: False, batches=batches, most_batched=MOST
    )
    runtime.embed(chips)
    assert not sizes.seen
    assert not any(thread.name.startswith("model-") for thread in threading.enumerate())


@pytest.mark.parametrize(("threads", "most"), [(1, MOST), (0, 1)])
def test_who_did_not_ask_for_batches_gets_none(
    sface_artifact: Artifact, batches: Batches, sizes: Sizes, threads: int, most: int
) -> None:
    runtime = OpenVinoRuntime(
        sface_artifact, threads=threads, several=busy, batches=batches, most_batched=most
    )
    runtime.embed(np.zeros((1, *sface_artifact.manifest.input_size, 3), np.uint8))
    assert not sizes.seen
