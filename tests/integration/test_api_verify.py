"""POST /v1/verify: the verdict, by the paper's rule, and where its thresholds come from."""

from __future__ import annotations

import io

import httpx
import numpy as np
import pytest
from PIL import Image as PillowImage

from model.artifact import Artifact
from tests.faces import Faces
from tests.integration.api_client import STYLES, Style, answer, enrol, post, problem
from tests.pictures import encoded, exif, rgb, side_by_side, with_orientation


@pytest.fixture(scope="module", autouse=True)
def enrolled(client: httpx.Client, faces: Faces) -> None:
    enrol(client, "him", faces.read("obama.jpg"), faces.read("obama2.jpg"))
    enrol(client, "both", faces.read("obama.jpg"), faces.read("biden.jpg"))


def verify(
    client: httpx.Client, identity: str, image: bytes, style: Style = "multipart", **fields: object
) -> dict[str, object]:
    response = post(client, "/v1/verify", style, {"image": image}, identity=identity, **fields)
    return answer(response)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("path", ["/v1/verify", "/verify"])
def test_the_enrolled_person(client: httpx.Client, faces: Faces, style: Style, path: str) -> None:
    pictures = {"image": faces.read("obama3.jpg")}
    content = answer(post(client, path, style, pictures, identity="him"))
    assert content["verified"] is True
    assert (content["matched"], content["references"], content["share"]) == (2, 2, 1.0)
    assert all(item["matched"] and item["score"] > 0.96 for item in content["scores"])
    listed = answer(client.get("/v1/identities/him"))["items"]
    ids = [item["reference_id"] for item in listed]
    assert [item["reference_id"] for item in content["scores"]] == ids
    assert set(content["timings_ms"]) == {
        *("decode", "detect", "align", "embed", "references", "score", "total")
    }
    assert sum(content["timings_ms"].values()) <= 2.001 * content["timings_ms"]["total"] + 0.1
    assert content["model"]["fingerprint"] == answer(client.get("/v1/model"))["fingerprint"]
    assert set(content["face"]["landmarks"]) == {
        *("right_eye", "left_eye", "nose", "right_mouth", "left_mouth")
    }


@pytest.mark.parametrize("name", ["biden.jpg", "astronaut.png"])
def test_somebody_else_is_an_answer_not_an_error(
    client: httpx.Client, faces: Faces, name: str
) -> None:
    content = verify(client, "him", faces.read(name))
    assert content["verified"] is False
    assert (content["matched"], content["share"]) == (0, 0.0)


def test_a_share_exactly_at_the_threshold_does_not_verify(
    client: httpx.Client, faces: Faces
) -> None:
    probe = faces.read("obama3.jpg")
    half = verify(client, "both", probe)
    assert (half["matched"], half["share"], half["verified"]) == (1, 0.5, False)
    assert verify(client, "both", probe, verification_threshold=0.499)["verified"] is True
    assert verify(client, "both", probe, verification_threshold=0.5)["verified"] is False
    assert verify(client, "him", probe, verification_threshold=1)["verified"] is False
    assert verify(client, "him", probe, verification_threshold=0)["verified"] is True


def test_a_score_exactly_at_the_threshold_does_not_match(
    client: httpx.Client, faces: Faces
) -> None:
    probe = faces.read("obama3.jpg")
    scores = {s["score"] for s in verify(client, "him", probe)["scores"]}  # type: ignore[attr-defined]
    lowest = min(scores)
    at = verify(client, "him", probe, "json", detection_threshold=lowest)
    assert at["matched"] == len([score for score in scores if score > lowest])
    below = verify(client, "him", probe, "json", detection_threshold=float(np.nextafter(lowest, 0)))
    assert below["matched"] == 2


def test_thresholds_in_force_and_where_they_came_from(
    client: httpx.Client, faces: Faces, artifact: Artifact
) -> None:
    probe = faces.read("obama3.jpg")
    default = verify(client, "him", probe)
    assert default["detection_threshold"] == {
        "value": artifact.manifest.detection_threshold,
        "source": "default",
    }
    assert default["verification_threshold"] == {"value": 0.5, "source": "default"}
    assert default["fmr"] == 1e-4
    own = verify(client, "him", probe, detection_threshold=0.3, verification_threshold=0.7)
    assert own["detection_threshold"] == {"value": 0.3, "source": "request"}
    assert own["verification_threshold"] == {"value": 0.7, "source": "request"}
    assert own["fmr"] is None


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize(
    "fields",
    [
        {"fmr": 1e-9},
        {"fmr": 0},
        {"fmr": -0.1},
        {"fmr": 1.1},
        {"fmr": 0.01, "detection_threshold": 0.5},
        {"detection_threshold": 1.0001},
        {"detection_threshold": -1e-9},
        {"verification_threshold": 2},
        {"verification_threshold": "half"},
        {"faces": "smallest"},
        {"fusion": "median"},
        {"detection_threshold": "nan"},
        {"detection_threshold": "1e400"},
        {"detection_threshold": ""},
        {"detection_threshold": "false"},
        {"verification_threshold": "true"},
    ],
    ids=str,
)
def test_a_field_out_of_its_range(
    client: httpx.Client, faces: Faces, style: Style, fields: dict[str, object]
) -> None:
    pictures = {"image": faces.read("obama3.jpg")}
    response = post(client, "/v1/verify", style, pictures, identity="him", **fields)
    problem(response, 422, "invalid_request")


def test_an_unknown_identity(client: httpx.Client, faces: Faces) -> None:
    pictures = {"image": faces.read("obama.jpg")}
    response = post(client, "/v1/verify", "json", pictures, identity="stranger")
    problem(response, 404, "unknown_identity")


def test_which_face_of_several(client: httpx.Client, faces: Faces) -> None:
    """He is the larger one, she is nearer the middle."""
    pair = side_by_side(
        rgb(faces.read("obama3.jpg"))[:1200, 200:], rgb(faces.read("astronaut.png"))
    )
    group = encoded(pair, "JPEG", quality=95)
    response = post(client, "/v1/verify", "json", {"image": group}, identity="him", faces="error")
    problem(response, 422, "several_faces")
    found = {way: verify(client, "him", group, faces=way) for way in ("largest", "center")}
    widths = {way: content["face"]["box"]["width"] for way, content in found.items()}  # type: ignore[index]
    assert widths["largest"] > widths["center"]
    assert found["largest"]["verified"] is True
    assert found["center"]["verified"] is False


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_picture_gives_the_same_scores(
    client: httpx.Client, faces: Faces, orientation: int
) -> None:
    upright = np.ascontiguousarray(rgb(faces.read("obama3.jpg"))[:1200:2, ::2])
    expected = verify(client, "him", encoded(upright))
    turned = encoded(with_orientation(upright, orientation), exif=exif(orientation))
    content = verify(client, "him", turned)
    assert content["scores"] == expected["scores"]
    assert content["face"] == expected["face"]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("JPEG", {"progressive": True}),
        ("WEBP", {}),
        ("HEIF", {}),
        ("AVIF", {}),
        ("BMP", {}),
        ("GIF", {}),
        ("PNG", {}),
    ],
    ids=str,
)
def test_every_format_verifies(
    client: httpx.Client, faces: Faces, kind: str, options: dict[str, object]
) -> None:
    image = np.ascontiguousarray(rgb(faces.read("obama3.jpg"))[:1200:2, ::2])
    content = verify(client, "him", encoded(image, kind, **options))
    assert content["verified"] is True


def test_a_large_picture_is_answered_in_its_own_pixels(client: httpx.Client, faces: Faces) -> None:
    portrait = PillowImage.fromarray(rgb(faces.read("obama3.jpg"))[:1434]).resize((3000, 3000))
    canvas = PillowImage.new("RGB", (4000, 3000), "grey")
    canvas.paste(portrait, (700, 0))
    small = encoded(canvas.resize((640, 480)), "JPEG", quality=95)
    expected = verify(client, "him", small)["face"]
    for orientation in (1, 6):
        stored = with_orientation(np.asarray(canvas), orientation)
        large = encoded(stored, "JPEG", quality=90, exif=exif(orientation))
        content = verify(client, "him", large)
        assert content["verified"] is True
        assert set(content["timings_ms"]) >= {"decode", "detect", "align"}  # type: ignore[call-overload]
        for side, value in content["face"]["box"].items():  # type: ignore[index]
            assert abs(value / 6.25 - expected["box"][side]) < 3  # type: ignore[index]
        cut = large[: len(large) // 2]
        response = post(client, "/v1/verify", "multipart", {"image": cut}, identity="him")
        problem(response, 422, "undecodable_image")


def test_an_image_enrolled_is_known_again_whatever_looked_at_it(
    client: httpx.Client, faces: Faces
) -> None:
    """The hash of an enrolled image is that of all its pixels, as Pillow decodes them."""
    portrait = PillowImage.fromarray(rgb(faces.read("obama3.jpg"))[:1434]).resize((2800, 2800))
    data = encoded(portrait, "JPEG", quality=90)
    pixels = encoded(PillowImage.open(io.BytesIO(data)), "PNG", compress_level=1)
    enrol(client, "large", data)
    assert verify(client, "large", data)["verified"] is True
    assert enrol(client, "large", pixels)["accepted"][0]["duplicate"] is True
    client.delete("/v1/identities/large").raise_for_status()


def test_a_poor_probe_is_judged_by_its_score_not_refused(
    client: httpx.Client, faces: Faces
) -> None:
    dark = encoded((rgb(faces.read("obama3.jpg")) * 0.2).astype(np.uint8))
    content = verify(client, "him", dark)
    assert "too_dark" in content["face"]["quality"]["reasons"]  # type: ignore[index]


def test_a_probe_is_not_stored(client: httpx.Client, faces: Faces) -> None:
    before = answer(client.get("/v1/identities/him"))
    verify(client, "him", faces.read("obama3.jpg"))
    assert answer(client.get("/v1/identities/him")) == before
