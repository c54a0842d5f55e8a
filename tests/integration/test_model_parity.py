"""The artifact against the published network, and its runtimes against each other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnx
import onnxruntime
import pytest

from model.artifact import Artifact
from model.frame import tight_frame
from model.runtimes.base import Runtime
from model.runtimes.openvino_runtime import OpenVinoRuntime
from model.runtimes.tensorflow_runtime import TensorFlowRuntime
from model.types import Array, Image
from model.zoo import SFACE
from tests.faces import Faces, shared_data
from tests.integration.real_chips import augmented_chips, celeba_chips, portrait_chips
from training.fetch import fetch
from training.head import read_head
from training.profiles import profile

CHIPS = 104
EMBEDDING_TOLERANCE = 1e-4
SCORE_TOLERANCE = 1e-3

# TensorFlow's own notices while a SavedModel loads.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def openvino(artifact: Artifact) -> Runtime:
    return OpenVinoRuntime(artifact)


@pytest.fixture(scope="module")
def tensorflow(artifact: Artifact) -> Runtime:
    return TensorFlowRuntime(artifact)


@pytest.fixture(scope="module", params=["augmented", "celeba"])
def chips(request: pytest.FixtureRequest, faces: Faces, artifact: Artifact) -> Image:
    if request.param == "augmented":
        return augmented_chips(faces, artifact, CHIPS)
    shared = shared_data()
    if shared is None or not (shared / "celeba300.tar").is_file():
        pytest.skip("celeba300.tar is not on this machine; augmented portraits are tested instead")
    return celeba_chips(shared / "celeba300.tar", artifact, CHIPS)


@pytest.fixture(scope="module")
def published() -> Callable[[Image], Array]:
    """The original ONNX file as its publishers run it, then unit length."""
    network = onnx.load(fetch(SFACE))
    # The file lists its weights among the inputs, which only warns and slows.
    data = [item for item in network.graph.input if item.name == "data"]
    del network.graph.input[:]
    network.graph.input.extend(data)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        network.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )

    def embed(chips: Image) -> Array:
        planes = chips.transpose(0, 3, 1, 2).astype(np.float32)
        rows = [session.run(None, {"data": plane[None]})[0][0] for plane in planes]
        raw = np.stack(rows)
        return np.asarray(raw / np.linalg.norm(raw, axis=1, keepdims=True), dtype=np.float32)

    return embed


@pytest.fixture(scope="module")
def expected(chips: Image, published: Callable[[Image], Array]) -> Array:
    return published(chips)


@pytest.mark.parametrize("name", ["openvino", "tensorflow"])
def test_embeddings_are_those_of_the_published_network(
    name: str, chips: Image, expected: Array, request: pytest.FixtureRequest
) -> None:
    runtime: Runtime = request.getfixturevalue(name)
    found = np.concatenate([runtime.embed(part) for part in np.split(chips, 8)])
    assert len(found) >= 100
    assert np.abs(np.linalg.norm(found, axis=1) - 1).max() < 1e-5
    worst = float(np.abs(found - expected).max())
    print(f"{name}: largest difference of {found.size} numbers {worst:.1e}")
    assert worst < EMBEDDING_TOLERANCE
    # The faces differ, so a constant answer would not pass.
    assert np.abs(found[:5, None] - found[None, :5]).max() > 0.1


def test_scores_of_the_runtimes_agree(chips: Image, openvino: Runtime, tensorflow: Runtime) -> None:
    ours, theirs = openvino.embed(chips), tensorflow.embed(chips)
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
def test_a_score_is_what_the_formula_says(
    name: str, expected: Array, request: pytest.FixtureRequest
) -> None:
    """sigmoid(bias - sum_k w_k |f_k . (probe - reference)|), in double precision."""
    runtime: Runtime = request.getfixturevalue(name)
    head = read_head(profile("fast").head_file)
    frame = tight_frame(expected.shape[1]).astype(np.float64)
    weights = head.weights(frame.shape[1]).astype(np.float64)
    for row in (0, 1, 57):
        difference = (expected[row] - expected).astype(np.float64) @ frame
        logits = head.bias - np.abs(difference) @ weights
        by_hand = 1 / (1 + np.exp(-logits))
        assert np.abs(runtime.score(expected[row], expected) - by_hand).max() < SCORE_TOLERANCE


@pytest.mark.parametrize("name", ["openvino", "tensorflow"])
def test_scores_run_the_right_way(
    name: str, faces: Faces, artifact: Artifact, request: pytest.FixtureRequest
) -> None:
    runtime: Runtime = request.getfixturevalue(name)
    embeddings = runtime.embed(portrait_chips(faces, artifact))
    itself = runtime.score(embeddings[0], embeddings)
    assert itself[0] == itself.max() > 0.999
    # Other portraits of the same man, then other people.
    assert min(itself[1], itself[2]) > artifact.manifest.detection_threshold
    assert max(itself[3], itself[4]) < 0.1
    back = runtime.score(embeddings[3], embeddings[[0]])
    assert float(back[0]) == pytest.approx(float(itself[3]), abs=1e-6)


@pytest.mark.parametrize("count", [1, 2, 3, 17])
def test_a_batch_gives_what_each_chip_gives_alone(
    openvino: Runtime, faces: Faces, artifact: Artifact, count: int
) -> None:
    chips = augmented_chips(faces, artifact, count)
    alone = np.concatenate([openvino.embed(chip[None]) for chip in chips])
    assert np.abs(openvino.embed(chips) - alone).max() < 1e-5


def test_threads_do_not_disturb_each_other(
    openvino: Runtime, faces: Faces, artifact: Artifact
) -> None:
    chips = augmented_chips(faces, artifact, 16)
    expected = openvino.embed(chips)
    in_turn = [openvino.score(row, expected) for row in expected]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda chip: openvino.embed(chip[None])[0], chips))
        scores = list(pool.map(lambda row: openvino.score(row, expected), expected))
    assert np.abs(np.stack(found) - expected).max() < 1e-5
    assert np.abs(np.stack(scores) - np.stack(in_turn)).max() < 1e-5


def test_an_answer_is_not_overwritten_by_the_next(
    openvino: Runtime, faces: Faces, artifact: Artifact
) -> None:
    chips = augmented_chips(faces, artifact, 2)
    first = openvino.embed(chips[:1])
    kept = first.copy()
    openvino.embed(chips[1:])
    assert np.array_equal(first, kept)
