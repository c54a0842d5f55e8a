"""POST /v1/compare and POST /v1/detect: nothing is stored, everything is said."""

from __future__ import annotations

import httpx
import numpy as np
import pytest

from tests.faces import Faces
from tests.integration.api_client import STYLES, Style, answer, post, problem
from tests.pictures import encoded, rgb, side_by_side, without_face


@pytest.fixture(scope="module")
def group(faces: Faces) -> bytes:
    """He is the larger one, she is nearer the middle."""
    pair = side_by_side(rgb(faces.read("obama.jpg")), rgb(faces.read("astronaut.png")))
    return encoded(pair, "JPEG", quality=95)


def compare(
    client: httpx.Client, one: bytes, other: bytes, style: Style = "multipart", **fields: object
) -> httpx.Response:
    return post(client, "/v1/compare", style, {"image_a": one, "image_b": other}, **fields)


@pytest.mark.parametrize("style", STYLES)
def test_one_person_and_two(client: httpx.Client, faces: Faces, style: Style) -> None:
    him, again, other = (faces.read(n) for n in ("obama.jpg", "obama2.jpg", "biden.jpg"))
    same = answer(compare(client, him, again, style))
    assert same["verified"] is True
    assert same["score"] > same["threshold"]["value"]
    assert same["threshold"]["source"] == "default"
    assert same["fmr"] == 1e-4
    different = answer(compare(client, him, other, style))
    assert different["verified"] is False
    assert different["score"] < 0.1
    assert set(different["timings_ms"]) == {"decode", "detect", "align", "embed", "score", "total"}


def test_the_order_of_the_images_plays_no_part(client: httpx.Client, faces: Faces) -> None:
    one, other = faces.read("obama2.jpg"), faces.read("biden.jpg")
    there, back = answer(compare(client, one, other)), answer(compare(client, other, one))
    assert there["score"] == pytest.approx(back["score"], abs=1e-5)
    assert there["face_a"] == back["face_b"]


def test_an_image_against_itself(client: httpx.Client, faces: Faces) -> None:
    data = faces.read("astronaut.png")
    content = answer(compare(client, data, data))
    assert content["score"] > 0.9999
    assert content["face_a"] == content["face_b"]


def test_thresholds(client: httpx.Client, faces: Faces) -> None:
    one, other = faces.read("obama.jpg"), faces.read("obama2.jpg")
    score = answer(compare(client, one, other, "json"))["score"]
    at = answer(compare(client, one, other, "json", detection_threshold=score))
    assert at["verified"] is False
    below = float(np.nextafter(score, 0))
    assert answer(compare(client, one, other, "json", detection_threshold=below))["verified"]
    by_rate = answer(compare(client, one, other, "json", fmr=0.001))
    assert (by_rate["fmr"], by_rate["threshold"]["source"]) == (0.001, "fmr")
    strict = compare(client, one, other, "json", fmr=1e-8)
    assert "1e-06" in problem(strict, 422, "invalid_request")["detail"]


def test_which_face_of_several(client: httpx.Client, faces: Faces, group: bytes) -> None:
    her = faces.read("astronaut.png")
    problem(compare(client, group, her), 422, "several_faces")
    problem(compare(client, her, group), 422, "several_faces")
    assert answer(compare(client, group, her, faces="center"))["verified"] is True
    assert answer(compare(client, group, her, faces="largest"))["verified"] is False


@pytest.mark.parametrize("style", STYLES)
def test_all_faces_are_found(client: httpx.Client, group: bytes, style: Style) -> None:
    content = answer(post(client, "/v1/detect", style, {"image": group}))
    assert (content["height"], content["width"]) == (480, 864)
    him, her = content["faces"]
    assert him["box"]["width"] > her["box"]["width"]
    assert him["box"]["x"] < 300 < her["box"]["x"]
    for face in (him, her):
        box, share = face["box"], face["box_normalized"]
        assert share["x"] * 864 == pytest.approx(box["x"], abs=0.02)
        assert share["height"] * 480 == pytest.approx(box["height"], abs=0.02)
        # Their right eye is at our left.
        assert face["landmarks"]["right_eye"]["x"] < face["landmarks"]["left_eye"]["x"]
        assert face["quality"]["reasons"] == []
        assert face["quality"]["visible"] == 1


@pytest.mark.parametrize("style", STYLES)
def test_no_face_is_an_empty_list(client: httpx.Client, style: Style) -> None:
    picture = encoded(without_face(200, 300))
    content = answer(post(client, "/v1/detect", style, {"image": picture}))
    assert (content["faces"], content["width"], content["height"]) == ([], 300, 200)


def test_nothing_was_stored(client: httpx.Client) -> None:
    assert answer(client.get("/v1/identities"))["identities"] == []
