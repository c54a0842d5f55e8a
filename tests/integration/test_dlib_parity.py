"""dlib's network as we build it against dlib itself, on real chips."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import dlib
import keras
import numpy as np
import openvino as ov
import pytest

from model.artifact import Artifact
from model.backbones.dlib_resnet import CHIP_SIZE, EMBEDDING_SIZE, load_dlib_resnet
from model.backbones.fused import SCALE
from model.templates import ARCFACE_112
from model.types import Array, Image
from model.zoo import DLIB
from tests.faces import Faces, shared_data
from tests.integration.real_chips import augmented_chips, celeba_chips
from training.dlib_file import read_dlib
from training.fetch import fetch

CHIPS = 104
TOLERANCE = 1e-4

# TensorFlow's own notices while a model is exported.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def published() -> Path:
    return fetch(DLIB)


@pytest.fixture(scope="module")
def tower(published: Path) -> keras.Model:
    return load_dlib_resnet(read_dlib(published))


@pytest.fixture(scope="module")
def exported(tower: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> ov.CompiledModel:
    folder = tmp_path_factory.mktemp("exported")
    tower.export(str(folder), verbose=False)
    core = ov.Core()
    return core.compile_model(
        core.read_model(folder), "CPU", {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": "1"}
    )


@pytest.fixture(
    scope="module", params=["augmented", pytest.param("celeba", marks=pytest.mark.long)]
)
def chips(request: pytest.FixtureRequest, faces: Faces, artifact: Artifact) -> Image:
    wanted = _for_dlib(artifact)
    if request.param == "augmented":
        return augmented_chips(faces, wanted, CHIPS)
    shared = shared_data()
    if shared is None or not (shared / "celeba300.tar").is_file():
        pytest.skip("celeba300.tar is not on this machine; augmented portraits are tested instead")
    return celeba_chips(shared / "celeba300.tar", wanted, CHIPS)


@pytest.fixture(scope="module")
def expected(chips: Image, published: Path) -> Array:
    """What dlib makes of the chips."""
    network = dlib.face_recognition_model_v1(str(published))
    rows = [np.array(network.compute_face_descriptor(chip)) for chip in chips]
    return np.stack(rows).astype(np.float32)


@pytest.mark.parametrize("runtime", [pytest.param("keras", marks=pytest.mark.long), "openvino"])
def test_embeddings_are_dlibs_own(
    runtime: str,
    chips: Image,
    expected: Array,
    tower: keras.Model,
    request: pytest.FixtureRequest,
) -> None:
    ours = _keras(tower)
    embed = ours if runtime == "keras" else _openvino(request.getfixturevalue("exported"))
    found = np.concatenate([embed(part) for part in np.split(chips, 8)])
    assert found.shape == expected.shape == (CHIPS, EMBEDDING_SIZE)
    worst = float(np.abs(found - expected).max())
    print(f"{runtime}: largest difference of {found.size} numbers {worst:.1e}")
    assert worst < TOLERANCE
    # The faces differ, and by far more than that.
    assert np.abs(expected[:5, None] - expected[None, :5]).max() > 0.1


def test_chips_of_one_man_lie_nearer(faces: Faces, artifact: Artifact, tower: keras.Model) -> None:
    """dlib's own rule: below a distance of 0.6 it is the same person."""
    chips = augmented_chips(faces, _for_dlib(artifact), 5)
    found = _keras(tower)(chips)
    distance = np.linalg.norm(found[:, None] - found[None], axis=2)
    assert distance[0, 1:3].max() < 0.6 < distance[0, 3:].min()


def _for_dlib(artifact: Artifact) -> Artifact:
    """The artifact as if its chips were dlib's, for those who cut chips by an artifact."""
    template = (ARCFACE_112 - ARCFACE_112.mean(axis=0)) * SCALE + np.array([74.5, 72.0])
    cut = {
        "input_size": CHIP_SIZE,
        "alignment_template": tuple((float(x), float(y)) for x, y in template),
    }
    return replace(artifact, manifest=artifact.manifest.model_copy(update=cut))


def _keras(tower: keras.Model) -> Callable[[Image], Array]:
    return lambda chips: np.asarray(tower.predict_on_batch(chips))


def _openvino(network: ov.CompiledModel) -> Callable[[Image], Array]:
    return lambda chips: np.array(network(np.ascontiguousarray(chips))[0])
