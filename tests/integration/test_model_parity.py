"""The fast profile's artifact against the published network, in both runtimes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import pytest

from model.artifact import Artifact
from model.runtimes.base import Runtime
from model.runtimes.openvino_runtime import OpenVinoRuntime
from model.runtimes.tensorflow_runtime import TensorFlowRuntime
from model.types import Array, Image
from model.zoo import SFACE
from tests.faces import Faces
from tests.integration.real_chips import real_chips
from training.fetch import fetch
from training.head import read_head
from training.profiles import profile

CHIPS = 104
EMBEDDING_TOLERANCE = 1e-4
LEAST_COSINE, MEAN_COSINE = 0.985, 0.995
"""Of an embedding in 8 bits with the published network's."""

SCORE_TOLERANCE = 1e-3

# TensorFlow's own notices while a SavedModel loads.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def openvino(sface_artifact: Artifact) -> Runtime:
    return OpenVinoRuntime(sface_artifact)


@pytest.fixture(scope="module")
def unrounded(sface_artifact: Artifact) -> Runtime:
    return OpenVinoRuntime(sface_artifact, integers=False)


@pytest.fixture(scope="module")
def tensorflow(sface_artifact: Artifact) -> Runtime:
    return TensorFlowRuntime(sface_artifact)


@pytest.fixture(
    scope="module", params=["augmented", pytest.param("celeba", marks=pytest.mark.long)]
)
def chips(request: pytest.FixtureRequest, faces: Faces, sface_artifact: Artifact) -> Image:
    return real_chips(str(request.param), faces, sface_artifact, CHIPS)


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


def test_unrounded_embeddings_are_those_of_the_published_network(
    unrounded: Runtime, chips: Image, expected: Array
) -> None:
    found = np.concatenate([unrounded.embed(part) for part in np.split(chips, 8)])
    assert len(found) >= 100
    assert np.abs(np.linalg.norm(found, axis=1) - 1).max() < 1e-5
    worst = float(np.abs(found - expected).max())
    print(f"largest difference of {found.size} numbers {worst:.1e}")
    assert worst < EMBEDDING_TOLERANCE
    # The faces differ, so a constant answer would not pass.
    assert np.abs(found[:5, None] - found[None, :5]).max() > 0.1


@pytest.mark.parametrize("name", ["openvino", "tensorflow"])
def test_in_8_bits_embeddings_are_close_to_the_published_networks(
    name: str, chips: Image, expected: Array, request: pytest.FixtureRequest
) -> None:
    runtime: Runtime = request.getfixturevalue(name)
    found = np.concatenate([runtime.embed(part) for part in np.split(chips, 8)])
    assert np.abs(np.linalg.norm(found, axis=1) - 1).max() < 1e-5
    cosines = (found * expected).sum(axis=1)
    print(f"{name}: cosine at least {cosines.min():.4f}, {cosines.mean():.4f} in the mean")
    assert cosines.min() > LEAST_COSINE
    assert cosines.mean() > MEAN_COSINE


@pytest.mark.parametrize("name", ["openvino", "tensorflow"])
def test_a_score_is_what_the_formula_says(
    name: str, expected: Array, request: pytest.FixtureRequest
) -> None:
    """sigmoid(bias - w |probe - reference|), in double precision."""
    runtime: Runtime = request.getfixturevalue(name)
    head = read_head(profile("fast").head_file)
    for row in (0, 1, 57):
        difference = (expected[row] - expected).astype(np.float64)
        logits = head.bias - head.weight * np.linalg.norm(difference, axis=1)
        by_hand = 1 / (1 + np.exp(-logits))
        assert np.abs(runtime.score(expected[row], expected) - by_hand).max() < SCORE_TOLERANCE
