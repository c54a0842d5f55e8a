"""The check that both runtimes give the same answers."""

from __future__ import annotations

import numpy as np
import pytest

from model.artifact import Artifact, ArtifactError
from tests.faces import Faces
from tests.integration.real_chips import portrait_chips
from tests.unrounded import build_unrounded
from training.parity import Parity, check_parity

# TensorFlow's own notices while a SavedModel loads.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """The default model in float32, as imported ones are."""
    return build_unrounded("accurate", tmp_path_factory.mktemp("plain") / "fused")


def test_the_default_artifact_agrees_on_real_faces(plain: Artifact, faces: Faces) -> None:
    parity = check_parity(plain, portrait_chips(faces, plain))
    print(parity)
    assert parity.chips == 5
    assert 0 < parity.embedding < 1e-5
    assert parity.score < 1e-4


def test_equal_chips_prove_nothing(artifact: Artifact) -> None:
    chips = np.full((3, *artifact.manifest.input_size, 3), 90, dtype=np.uint8)
    with pytest.raises(ArtifactError, match="different faces, found 3 equal ones"):
        check_parity(artifact, chips)
    with pytest.raises(ValueError, match="two chips or more to compare runtimes on, found 1"):
        check_parity(artifact, chips[:1])


@pytest.mark.parametrize(
    ("embedding", "score", "agrees"),
    [(1e-4, 1e-4, True), (2e-3, 0, False), (0, 2e-3, False), (np.nan, 0, False)],
)
def test_what_counts_as_agreement(embedding: float, score: float, agrees: bool) -> None:
    assert Parity(5, embedding, score).agrees is agrees
