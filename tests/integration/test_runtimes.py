"""What any artifact promises, in both runtimes: of the default one and of the fast one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from model.artifact import Artifact
from model.runtimes.base import Runtime
from model.runtimes.openvino_runtime import OpenVinoRuntime
from model.runtimes.tensorflow_runtime import TensorFlowRuntime
from model.types import Image
from tests.faces import Faces
from tests.integration.real_chips import augmented_chips, portrait_chips, real_chips
from tests.unrounded import build_unrounded
from training.options import ProfileName

CHIPS = 40
LEAST_COSINE = 0.99
"""Of what both runtimes make of one chip in 8 bits: one that sums up whole numbers and one
that sums up rounded ones come out on either side of a step now and then."""

SCORE_TOLERANCE = 1e-3

# TensorFlow's own notices while a SavedModel loads.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module", params=["artifact", "sface_artifact"])
def built(request: pytest.FixtureRequest) -> Artifact:
    found: Artifact = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="module")
def openvino(built: Artifact) -> Runtime:
    return OpenVinoRuntime(built)


@pytest.fixture(scope="module")
def tensorflow(built: Artifact) -> Runtime:
    return TensorFlowRuntime(built)


@pytest.fixture(
    scope="module", params=["augmented", pytest.param("celeba", marks=pytest.mark.long)]
)
def chips(request: pytest.FixtureRequest, faces: Faces, built: Artifact) -> Image:
    return real_chips(str(request.param), faces, built, CHIPS)


def test_the_runtimes_agree(chips: Image, openvino: Runtime, tensorflow: Runtime) -> None:
    ours, theirs = openvino.embed(chips), tensorflow.embed(chips)
    assert np.abs(np.linalg.norm(ours, axis=1) - 1).max() < 1e-5
    cosines = (ours * theirs).sum(axis=1)
    print(f"cosine at least {cosines.min():.4f}, {cosines.mean():.4f} in the mean")
    assert cosines.min() > LEAST_COSINE


@pytest.mark.long
def test_unrounded_the_runtimes_agree_to_the_last_digits(
    chips: Image, built: Artifact, tmp_path_factory: pytest.TempPathFactory
) -> None:
    name: ProfileName = "fast" if built.manifest.name == "sface" else "accurate"
    plain = build_unrounded(name, tmp_path_factory.mktemp("unrounded") / name)
    openvino, tensorflow = OpenVinoRuntime(plain), TensorFlowRuntime(plain)
    ours, theirs = openvino.embed(chips), tensorflow.embed(chips)
    assert np.abs(np.linalg.norm(ours, axis=1) - 1).max() < 1e-5
    assert np.abs(ours - theirs).max() < 1e-4
    worst, spread = 0.0, []
    for row in range(0, len(chips), 5):
        one, other = openvino.score(ours[row], ours), tensorflow.score(theirs[row], theirs)
        worst = max(worst, float(np.abs(one - other).max()))
        spread.append((one > 0.02) & (one < 0.98))
    print(f"largest difference of scores {worst:.1e}")
    assert worst < SCORE_TOLERANCE
    # Some pairs lie where the sigmoid is steep: there a difference would show.
    assert np.sum(spread) >= 10


@pytest.mark.parametrize("name", ["openvino", "tensorflow"])
def test_scores_run_the_right_way(
    name: str, faces: Faces, built: Artifact, request: pytest.FixtureRequest
) -> None:
    runtime: Runtime = request.getfixturevalue(name)
    embeddings = runtime.embed(portrait_chips(faces, built))
    itself = runtime.score(embeddings[0], embeddings)
    assert itself[0] == itself.max() > 0.999
    # Other portraits of the same man, then other people.
    assert min(itself[1], itself[2]) > built.manifest.detection_threshold
    assert max(itself[3], itself[4]) < 0.1
    back = runtime.score(embeddings[3], embeddings[[0]])
    assert float(back[0]) == pytest.approx(float(itself[3]), abs=1e-6)


@pytest.mark.parametrize("count", [1, 2, 3, 17])
def test_a_batch_gives_what_each_chip_gives_alone(
    openvino: Runtime, faces: Faces, built: Artifact, count: int
) -> None:
    chips = augmented_chips(faces, built, count)
    alone = np.concatenate([openvino.embed(chip[None]) for chip in chips])
    assert np.abs(openvino.embed(chips) - alone).max() < 1e-5


def test_threads_do_not_disturb_each_other(
    openvino: Runtime, faces: Faces, built: Artifact
) -> None:
    chips = augmented_chips(faces, built, 16)
    expected = openvino.embed(chips)
    in_turn = [openvino.score(row, expected) for row in expected]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda chip: openvino.embed(chip[None])[0], chips))
        scores = list(pool.map(lambda row: openvino.score(row, expected), expected))
    assert np.abs(np.stack(found) - expected).max() < 1e-5
    assert np.abs(np.stack(scores) - np.stack(in_turn)).max() < 1e-5


def test_an_answer_is_not_overwritten_by_the_next(
    openvino: Runtime, faces: Faces, built: Artifact
) -> None:
    chips = augmented_chips(faces, built, 2)
    first = openvino.embed(chips[:1])
    kept = first.copy()
    openvino.embed(chips[1:])
    assert np.array_equal(first, kept)
