"""The model changes under enrolled people; and the same one on another runtime."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import httpx
import pytest

from model.artifact import Artifact
from tests.faces import Faces
from tests.integration.api_client import answer, enrol, post, problem
from tests.running import running_service

# A crop is a JPEG of the face at quality 95: near the original, not equal to it.
CROP_TOLERANCE = 0.02
RUNTIME_TOLERANCE = 1e-3
OTHER_FINGERPRINT = "f" * 16


@pytest.fixture(scope="module")
def other_model(artifact: Artifact, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same networks under another fingerprint, as after an upgrade."""
    folder = tmp_path_factory.mktemp("models") / "other"
    shutil.copytree(artifact.folder, folder)
    path = folder / "manifest.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"fingerprint": OTHER_FINGERPRINT}))
    return folder


def verify(client: httpx.Client, probe: bytes) -> dict[str, Any]:
    return answer(post(client, "/v1/verify", "multipart", {"image": probe}, identity="him"))


def enrolled_then(
    folder: Path, faces: Faces, artifact: Path, **settings: str
) -> tuple[dict[str, Any], httpx.Response, list[str]]:
    """Enrols with the default model, then verifies with another one on the same data."""
    with running_service(folder, **settings) as url, httpx.Client(base_url=url) as client:
        enrol(client, "him", faces.read("obama.jpg"), faces.read("obama2.jpg"))
        before = verify(client, faces.read("obama3.jpg"))
    with (
        running_service(folder, artifact=artifact, **settings) as url,
        httpx.Client(base_url=url) as client,
    ):
        pictures = {"image": faces.read("obama3.jpg")}
        after = post(client, "/v1/verify", "multipart", pictures, identity="him")
        items = answer(client.get("/v1/identities/him"))["items"]
        if after.status_code == 200:
            answer(after)
            assert verify(client, faces.read("obama3.jpg"))["scores"] == after.json()["scores"]
        else:
            problem(after, 409, "model_mismatch")
    return before, after, [item["fingerprint"] for item in items]


@pytest.mark.parametrize(("keep", "tolerance"), [("crop", CROP_TOLERANCE), ("original", 1e-4)])
def test_embeddings_are_made_again_from_what_is_kept(
    tmp_path: Path, faces: Faces, other_model: Path, keep: str, tolerance: float
) -> None:
    before, response, fingerprints = enrolled_then(tmp_path, faces, other_model, keep=keep)
    after = response.json()
    assert after["verified"] is before["verified"] is True
    assert after["model"]["fingerprint"] == OTHER_FINGERPRINT
    assert before["model"]["fingerprint"] != OTHER_FINGERPRINT
    assert fingerprints == [OTHER_FINGERPRINT] * 2
    for old, new in zip(before["scores"], after["scores"], strict=True):
        assert old["reference_id"] == new["reference_id"]
        assert new["score"] == pytest.approx(old["score"], abs=tolerance)


def test_with_nothing_kept_it_says_to_enrol_again(
    tmp_path: Path, faces: Faces, other_model: Path
) -> None:
    before, response, fingerprints = enrolled_then(tmp_path, faces, other_model, keep="none")
    assert "enrol it again" in response.json()["detail"]
    assert fingerprints == [before["model"]["fingerprint"]] * 2


def test_both_runtimes_give_the_same_answers(tmp_path: Path, faces: Faces) -> None:
    names = ("obama3.jpg", "biden.jpg", "astronaut.png")
    found: dict[str, list[float]] = {}
    for runtime in ("openvino", "tensorflow"):
        with (
            running_service(tmp_path / runtime, runtime=runtime) as url,
            httpx.Client(base_url=url, timeout=60) as client,
        ):
            assert answer(client.get("/v1/model"))["runtime"] == runtime
            enrol(client, "him", faces.read("obama.jpg"), faces.read("obama2.jpg"))
            found[runtime] = [
                item["score"] for name in names for item in verify(client, faces.read(name))["scores"]
            ]
            compared = {"image_a": faces.read("obama2.jpg"), "image_b": faces.read("obama3.jpg")}
            found[runtime].append(answer(post(client, "/v1/compare", "json", compared))["score"])
    worst = max(abs(a - b) for a, b in zip(*found.values(), strict=True))
    print(f"largest difference of scores {worst:.1e}")
    assert worst < RUNTIME_TOLERANCE
    assert max(found["openvino"]) > 0.99
    assert min(found["openvino"]) < 0.01
