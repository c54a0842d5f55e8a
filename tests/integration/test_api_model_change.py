"""The model changes under enrolled people; and the same one on another runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import pytest

from model.artifact import Artifact
from tests.faces import Faces
from tests.integration.api_client import answer, enrol, post, problem
from tests.integration.conftest import OTHER_FINGERPRINT
from tests.pictures import encoded, rgb
from tests.running import running_service
from tests.unrounded import build_unrounded

# A crop is a JPEG of the face at quality 95: near the original, not equal to it. The
# tolerance holds where the sigmoid is steepest; elsewhere scores move less.
CROP_TOLERANCE = 0.05
# In 8 bits the smallest change of a pixel may move a number by a whole step.
ROUNDED_CROP_TOLERANCE = 0.1
RUNTIME_TOLERANCE = 1e-3
# Where both round to 8 bits, a sum may come out on either side of a step.
ROUNDED_TOLERANCE = 0.05


def verify(client: httpx.Client, probe: bytes) -> dict[str, Any]:
    return answer(post(client, "/v1/verify", "multipart", {"image": probe}, identity="him"))


def probes(faces: Faces) -> list[bytes]:
    """Him, others, and him made so broad that the model doubts: there the sigmoid is steep."""
    him = rgb(faces.read("obama3.jpg"))
    broad = [cv2.resize(him, None, fx=0.3 * by, fy=0.3) for by in (2, 2.15, 2.3, 2.45)]
    others = [faces.read(name) for name in ("obama3.jpg", "biden.jpg", "astronaut.png")]
    return [*others, *(encoded(np.asarray(image, np.uint8)) for image in broad)]


def scores(client: httpx.Client, faces: Faces) -> list[float]:
    found = [verify(client, probe)["scores"] for probe in probes(faces)]
    return [item["score"] for items in found for item in items]


@pytest.mark.parametrize(
    ("settings", "tolerance"),
    [
        pytest.param(
            {"keep": "crop", "runtime": "openvino-float32"},
            CROP_TOLERANCE,
            marks=pytest.mark.long,
        ),
        pytest.param({"keep": "crop"}, ROUNDED_CROP_TOLERANCE, marks=pytest.mark.long),
        ({"keep": "original"}, 1e-4),
    ],
)
def test_embeddings_are_made_again_from_what_is_kept(
    tmp_path: Path, faces: Faces, other_model: Path, settings: dict[str, str], tolerance: float
) -> None:
    with running_service(tmp_path, **settings) as url, httpx.Client(base_url=url) as client:
        content = enrol(client, "him", faces.read("obama.jpg"), faces.read("obama2.jpg"))
        assert content["model"]["fingerprint"] != OTHER_FINGERPRINT
        before = scores(client, faces)
    assert any(0.1 < score < 0.9 for score in before)
    changed = settings | {"artifact": str(other_model)}
    with running_service(tmp_path, **changed) as url, httpx.Client(base_url=url) as client:
        content = verify(client, faces.read("obama3.jpg"))
        assert content["verified"] is True
        assert content["model"]["fingerprint"] == OTHER_FINGERPRINT
        assert fingerprints(client) == [OTHER_FINGERPRINT] * 2
        after = scores(client, faces)
        assert after == scores(client, faces)
    worst = max(abs(old - new) for old, new in zip(before, after, strict=True))
    print(f"{settings}: largest difference of scores {worst:.1e}")
    assert worst < tolerance


def test_with_nothing_kept_it_says_to_enrol_again(
    tmp_path: Path, faces: Faces, other_model: Path
) -> None:
    with running_service(tmp_path, keep="none") as url, httpx.Client(base_url=url) as client:
        content = enrol(client, "him", faces.read("obama.jpg"))
        fingerprint = content["model"]["fingerprint"]
    settings = {"keep": "none", "artifact": other_model}
    with running_service(tmp_path, **settings) as url, httpx.Client(base_url=url) as client:
        pictures = {"image": faces.read("obama3.jpg")}
        response = post(client, "/v1/verify", "multipart", pictures, identity="him")
        assert "enrol it again" in problem(response, 409, "model_mismatch")["detail"]
        assert fingerprints(client) == [fingerprint]


def fingerprints(client: httpx.Client) -> list[str]:
    items = answer(client.get("/v1/identities/him"))["items"]
    return [item["fingerprint"] for item in items]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    """The default model in float32."""
    return build_unrounded("accurate", tmp_path_factory.mktemp("plain") / "fused")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("model", "tolerance"), [("plain", RUNTIME_TOLERANCE), ("artifact", ROUNDED_TOLERANCE)]
)
@pytest.mark.long
def test_both_runtimes_give_the_same_answers(
    tmp_path: Path,
    faces: Faces,
    model: str,
    tolerance: float,
    request: pytest.FixtureRequest,
) -> None:
    folder = request.getfixturevalue(model).folder
    found: dict[str, list[float]] = {}
    for runtime in ("openvino", "tensorflow"):
        with (
            running_service(tmp_path / runtime, runtime=runtime, artifact=folder) as url,
            httpx.Client(base_url=url, timeout=60) as client,
        ):
            assert answer(client.get("/v1/model"))["runtime"] == runtime
            enrol(client, "him", faces.read("obama.jpg"), faces.read("obama2.jpg"))
            found[runtime] = scores(client, faces)
            compared = {"image_a": faces.read("obama2.jpg"), "image_b": faces.read("obama3.jpg")}
            found[runtime].append(answer(post(client, "/v1/compare", "json", compared))["score"])
    worst = max(abs(a - b) for a, b in zip(*found.values(), strict=True))
    print(f"largest difference of scores {worst:.1e}")
    assert worst < tolerance
    assert max(found["openvino"]) > 0.99
    # Some lie where the sigmoid is steep: there a difference would show.
    assert any(0.1 < score < 0.9 for score in found["openvino"])
