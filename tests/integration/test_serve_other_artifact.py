"""The service on an artifact that is nothing like the default: the paper's own network.

105 x 105 pixels, embeddings of 4,096 numbers that are not of unit length, the L1
distance along their own axes with weights of both signs, and a calibration of two
rows that stops long before the default rate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from model.artifact import Artifact, write_artifact
from model.backbones.koch import CHIP_SIZE, EMBEDDING_SIZE, build_koch
from model.contract import OperatingPoint
from model.siamese import Siamese, export_saved_model
from model.templates import ARCFACE_112
from model.types import Array
from tests.faces import Faces
from tests.integration.api_client import answer, enrol, post, problem
from tests.integration.real_chips import NAMES, portrait_chips
from tests.running import running_service
from training.uncalibrated import uncalibrated

# TensorFlow's own notices while a SavedModel loads.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

FINGERPRINT = "0123456789abcdef"
BIAS = 1.5
ROWS = {0.1: 0.6, 0.01: 0.75}
DEFAULT = 0.75


@dataclass(frozen=True)
class Koch:
    """The artifact, the head it was written from, and what its tower makes of the portraits."""

    artifact: Artifact
    weights: Array
    embeddings: dict[str, Array]


@pytest.fixture(scope="module")
def koch(artifact: Artifact, faces: Faces, tmp_path_factory: pytest.TempPathFactory) -> Koch:
    tower = build_koch(seed=3)
    generator = np.random.default_rng(3)
    # About one in five is negative, as a trained head of the paper's may have them.
    weights = generator.normal(0.25, 0.3, EMBEDDING_SIZE).astype(np.float32)
    siamese = Siamese(tower, None, weights, BIAS, unit=False)

    def fill(staging: Path) -> None:
        export_saved_model(siamese, staging / "saved_model")
        (staging / "detector.pb").write_bytes(artifact.detector.read_bytes())

    points = tuple(
        OperatingPoint(
            fmr=fmr,
            threshold=threshold,
            fmr_measured=fmr,
            fmr_interval=(0, 1),
            fnmr=0.4,
            fnmr_interval=(0, 1),
        )
        for fmr, threshold in ROWS.items()
    )
    promise = {
        "name": "koch",
        "version": "0.1.0",
        "fingerprint": FINGERPRINT,
        "input_size": CHIP_SIZE,
        "alignment_template": (ARCFACE_112 * (CHIP_SIZE[0] / 112)).tolist(),
        "embedding_size": EMBEDDING_SIZE,
        "saved_model": "saved_model",
        "detector": "detector.pb",
        "detection_threshold": DEFAULT,
        "verification_threshold": 0.5,
        "weights": [],
        "calibration": uncalibrated().model_copy(update={"points": points}).model_dump(),
    }
    folder = tmp_path_factory.mktemp("models") / "koch"
    written = write_artifact(folder, fill, promise)
    raw = tower(portrait_chips(faces, written)).numpy()
    return Koch(written, weights, dict(zip(NAMES, raw, strict=True)))


@pytest.fixture(scope="module")
def client(koch: Koch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    data = tmp_path_factory.mktemp("data")
    with (
        running_service(data, artifact=koch.artifact.folder) as url,
        httpx.Client(base_url=url, timeout=60) as connected,
    ):
        yield connected


def by_hand(koch: Koch, probe: str, reference: str) -> float:
    """sigmoid(bias - sum w |a - b|) on the tower itself, in double precision."""
    apart = np.abs(koch.embeddings[probe] - koch.embeddings[reference]).astype(np.float64)
    return float(1 / (1 + np.exp(apart @ koch.weights.astype(np.float64) - BIAS)))


def verify(client: httpx.Client, probe: bytes, **fields: object) -> dict[str, Any]:
    return answer(
        post(client, "/v1/verify", "multipart", {"image": probe}, identity="him", **fields)
    )


def test_enrol_and_verify(client: httpx.Client, koch: Koch, faces: Faces) -> None:
    check_scores(client, koch, faces)


@pytest.mark.long
def test_on_tensorflow(koch: Koch, faces: Faces, tmp_path: Path) -> None:
    settings = {"artifact": koch.artifact.folder, "runtime": "tensorflow"}
    with running_service(tmp_path, **settings) as url, httpx.Client(base_url=url) as client:
        check_scores(client, koch, faces)


def check_scores(client: httpx.Client, koch: Koch, faces: Faces) -> None:
    """Enrols and verifies; every score is the one made by hand."""
    content = enrol(client, "him", faces.read("obama.jpg"), faces.read("obama2.jpg"))
    assert content["model"] == {"name": "koch", "version": "0.1.0", "fingerprint": FINGERPRINT}
    assert len(content["accepted"]) == 2
    for probe in ("obama.jpg", "obama3.jpg", "biden.jpg"):
        found = [item["score"] for item in verify(client, faces.read(probe))["scores"]]
        wanted = [by_hand(koch, probe, name) for name in ("obama.jpg", "obama2.jpg")]
        print(probe, found, wanted)
        assert found == pytest.approx(wanted, abs=2e-4)
        # The formula is put to the test only where the sigmoid is not flat.
        assert any(0.01 < score < 0.99 for score in found)


def test_a_picture_against_itself_scores_as_the_bias_says(
    client: httpx.Client, faces: Faces
) -> None:
    enrol(client, "him", faces.read("obama.jpg"), faces.read("obama2.jpg"))
    itself = verify(client, faces.read("obama.jpg"))["scores"][0]["score"]
    # The sigmoid of 1.5; this model is never surer than that.
    assert itself == pytest.approx(0.8175744762, abs=1e-5)
    pictures = {"image_a": faces.read("biden.jpg"), "image_b": faces.read("biden.jpg")}
    content = answer(post(client, "/v1/compare", "json", pictures))
    assert content["score"] == pytest.approx(0.8175744762, abs=1e-5)
    assert content["verified"] is True


def test_the_few_rates_that_were_measured(client: httpx.Client, faces: Faces) -> None:
    enrol(client, "him", faces.read("obama.jpg"), faces.read("obama2.jpg"))
    probe = faces.read("obama3.jpg")
    model = answer(client.get("/v1/model"))
    assert [point["fmr"] for point in model["calibration"]["points"]] == [0.1, 0.01]
    assert model["embedding_size"] == EMBEDDING_SIZE
    assert model["thresholds"]["detection_threshold"] == DEFAULT
    assert model["thresholds"]["fmr"] == 0.01
    assert verify(client, probe)["detection_threshold"] == {"value": DEFAULT, "source": "default"}
    loose = verify(client, probe, fmr=0.1)
    assert loose["detection_threshold"] == {"value": 0.6, "source": "fmr"}
    assert loose["fmr"] == 0.1
    # Looser than the whole table, and stricter.
    assert verify(client, probe, detection_threshold=0.2)["fmr"] is None
    response = post(client, "/v1/verify", "multipart", {"image": probe}, identity="him", fmr=0.0001)
    detail = problem(response, 422, "invalid_request")["detail"]
    assert "fmr must be at least 0.01, the strictest rate that was measured" in detail


def test_faces_are_detected_and_judged_as_ever(client: httpx.Client, faces: Faces) -> None:
    content = answer(
        post(client, "/v1/detect", "multipart", {"image": faces.read("astronaut.png")})
    )
    (face,) = content["faces"]
    assert face["quality"]["reasons"] == []


@pytest.mark.long
def test_people_enrolled_with_the_default_model_are_embedded_again(
    koch: Koch, faces: Faces, tmp_path: Path
) -> None:
    with running_service(tmp_path, keep="original") as url, httpx.Client(base_url=url) as before:
        enrol(before, "him", faces.read("obama.jpg"), faces.read("obama2.jpg"))
        assert verify(before, faces.read("obama3.jpg"))["verified"] is True
    settings = {"artifact": koch.artifact.folder, "keep": "original"}
    with running_service(tmp_path, **settings) as url, httpx.Client(base_url=url) as after:
        found = [item["score"] for item in verify(after, faces.read("obama3.jpg"))["scores"]]
        wanted = [by_hand(koch, "obama3.jpg", name) for name in ("obama.jpg", "obama2.jpg")]
        assert found == pytest.approx(wanted, abs=2e-4)
        items = answer(after.get("/v1/identities/him"))["items"]
        assert [item["fingerprint"] for item in items] == [FINGERPRINT] * 2
    # And back again: 256 numbers take the place of 4,096.
    with running_service(tmp_path, keep="original") as url, httpx.Client(base_url=url) as back:
        assert verify(back, faces.read("obama3.jpg"))["verified"] is True


@pytest.mark.long
def test_with_nothing_kept_it_says_to_enrol_again(koch: Koch, faces: Faces, tmp_path: Path) -> None:
    with running_service(tmp_path, keep="none") as url, httpx.Client(base_url=url) as before:
        enrol(before, "him", faces.read("obama.jpg"))
    settings = {"artifact": koch.artifact.folder, "keep": "none"}
    with running_service(tmp_path, **settings) as url, httpx.Client(base_url=url) as after:
        pictures = {"image": faces.read("obama3.jpg")}
        response = post(after, "/v1/verify", "multipart", pictures, identity="him")
        assert "enrol it again" in problem(response, 409, "model_mismatch")["detail"]
        # A new picture beside the old one: both are answered for, or neither.
        enrol(after, "him", faces.read("obama2.jpg"))
        response = post(after, "/v1/verify", "multipart", pictures, identity="him")
        problem(response, 409, "model_mismatch")
        # Another identity is none the worse for it.
        enrol(after, "her", faces.read("astronaut.png"))
        pictures = {"image": faces.read("astronaut.png")}
        response = post(after, "/v1/verify", "multipart", pictures, identity="her")
        assert answer(response)["scores"][0]["score"] == pytest.approx(0.8175744762, abs=1e-5)
