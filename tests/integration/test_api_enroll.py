"""POST /v1/enroll: what is accepted, what is rejected, and what is stored."""

from __future__ import annotations

import base64

import cv2
import httpx
import numpy as np
import pytest

from tests.faces import Faces
from tests.integration.api_client import STYLES, Style, answer, enrol, post, problem
from tests.pictures import encoded, rgb, side_by_side, without_face


def references(client: httpx.Client, identity: str) -> int:
    """How many are stored; 0 if there is no such identity."""
    response = client.get(f"/v1/identities/{identity}")
    return answer(response)["references"] if response.status_code == 200 else 0


def blurred(data: bytes) -> bytes:
    return encoded(np.asarray(cv2.GaussianBlur(rgb(data), (0, 0), 12), dtype=np.uint8))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("path", ["/v1/enroll", "/enroll"])
def test_accepted(client: httpx.Client, faces: Faces, style: Style, path: str) -> None:
    identity = f"accepted {style} {path.count('/')}"
    images = [faces.read("obama.jpg"), faces.read("obama2.jpg")]
    content = answer(post(client, path, style, {"images": images}, identity=identity), 201)
    assert content["identity"] == identity
    assert content["references"] == 2
    assert content["rejected"] == []
    assert [item["index"] for item in content["accepted"]] == [0, 1]
    assert [item["duplicate"] for item in content["accepted"]] == [False, False]
    assert len({item["reference_id"] for item in content["accepted"]}) == 2
    names = ["images-0.jpg", "images-1.jpg"] if style == "multipart" else [None, None]
    assert [item["filename"] for item in content["accepted"]] == names
    face = content["accepted"][0]["face"]
    assert 360 < face["box"]["x"] < 380
    assert face["box_normalized"]["width"] == pytest.approx(face["box"]["width"] / 910, abs=1e-4)
    assert face["quality"]["reasons"] == []
    assert references(client, identity) == 2


def test_each_image_is_judged_by_itself(client: httpx.Client, faces: Faces) -> None:
    good = faces.read("obama.jpg")
    group = encoded(side_by_side(rgb(good), rgb(faces.read("biden.jpg"))), "JPEG")
    images = [
        *(b"This is text.", encoded(without_face()), good, blurred(good), group),
        *(good[:5000], faces.read("obama3.jpg"), encoded(rgb(good)[:10, :10])),
    ]
    content = enrol(client, "mixed", *images)
    assert [item["index"] for item in content["accepted"]] == [2, 6]
    assert [(item["index"], item["code"]) for item in content["rejected"]] == [
        (0, "undecodable_image"),
        (1, "no_face"),
        (3, "low_quality"),
        (4, "several_faces"),
        (5, "undecodable_image"),
        (7, "image_too_small"),
    ]
    low = content["rejected"][2]
    assert low["reasons"] == ["blurred"] == low["face"]["quality"]["reasons"]
    assert low["face"]["quality"]["sharpness"] < 25
    assert all(item["detail"] and item["filename"] for item in content["rejected"])
    assert content["references"] == references(client, "mixed") == 2


@pytest.mark.parametrize("style", STYLES)
def test_none_accepted_stores_nothing(client: httpx.Client, faces: Faces, style: Style) -> None:
    images = [b"text", blurred(faces.read("obama.jpg")), encoded(without_face())]
    response = post(client, "/v1/enroll", style, {"images": images}, identity="nobody")
    content = problem(response, 422, "none_accepted")
    codes = [item["code"] for item in content["rejected"]]
    assert codes == ["undecodable_image", "low_quality", "no_face"]
    assert content["reasons"] == ["blurred"]
    problem(client.get("/v1/identities/nobody"), 404, "unknown_identity")


def test_a_poor_picture_is_refused_with_reasons_and_numbers(
    client: httpx.Client, faces: Faces
) -> None:
    dark = encoded((rgb(faces.read("obama.jpg")) * 0.2).astype(np.uint8))
    response = post(client, "/v1/enroll", "multipart", {"images": dark}, identity="in the dark")
    content = problem(response, 422, "low_quality")
    assert content["reasons"] == ["too_dark"]
    assert content["rejected"][0]["face"]["quality"]["brightness"] < 35
    assert references(client, "in the dark") == 0


def test_the_same_image_again_is_recognised(client: httpx.Client, faces: Faces) -> None:
    data = faces.read("obama.jpg")
    first = enrol(client, "again", data)["accepted"][0]["reference_id"]
    # Again, twice at once, and the same pixels in another format.
    other_format = encoded(rgb(data), "PNG")
    content = enrol(client, "again", data, data, other_format)
    assert [item["duplicate"] for item in content["accepted"]] == [True, True, True]
    assert {item["reference_id"] for item in content["accepted"]} == {first}
    assert content["references"] == references(client, "again") == 1


def test_twice_in_one_request_is_stored_once(client: httpx.Client, faces: Faces) -> None:
    content = enrol(client, "twins", faces.read("biden.jpg"), faces.read("biden.jpg"))
    assert [item["duplicate"] for item in content["accepted"]] == [False, True]
    assert content["references"] == 1


def test_two_identities_may_have_the_same_image(client: httpx.Client, faces: Faces) -> None:
    data = faces.read("astronaut.png")
    one, other = enrol(client, "first of two", data), enrol(client, "second of two", data)
    assert not other["accepted"][0]["duplicate"]
    assert one["accepted"][0]["reference_id"] != other["accepted"][0]["reference_id"]


@pytest.mark.parametrize(
    "prefix",
    ["data:image/jpeg;base64,", "DATA:image/png;charset=x;base64,", "data:image/svg+xml;base64,"],
)
def test_a_data_url_is_taken(client: httpx.Client, faces: Faces, prefix: str) -> None:
    text = prefix + base64.b64encode(faces.read("astronaut.png")).decode()
    response = client.post("/v1/enroll", json={"identity": "by data URL", "images": [text]})
    answer(response, 201)


def test_which_face_of_several(client: httpx.Client, faces: Faces) -> None:
    """He is the larger one, she is nearer the middle."""
    group = encoded(
        side_by_side(rgb(faces.read("obama.jpg")), rgb(faces.read("astronaut.png"))), "JPEG"
    )
    response = post(client, "/v1/enroll", "json", {"images": [group]}, identity="group error")
    assert "2 faces" in problem(response, 422, "several_faces")["detail"]
    left = enrol(client, "group largest", group, faces="largest")["accepted"][0]["face"]["box"]
    right = enrol(client, "group center", group, faces="center")["accepted"][0]["face"]["box"]
    assert left["x"] < 300 < right["x"]
    assert left["width"] > right["width"]


def test_composed_and_decomposed_names_are_one_identity(client: httpx.Client, faces: Faces) -> None:
    assert enrol(client, "Zoe\u0308", faces.read("obama.jpg"))["identity"] == "Zo\u00eb"
    assert enrol(client, "Zo\u00eb", faces.read("obama2.jpg"))["references"] == 2
    assert answer(client.delete("/v1/identities/Zoe\u0308"))["references"] == 2


def test_a_file_name_is_shown_never_trusted(client: httpx.Client, faces: Faces) -> None:
    name = "../../etc/passwd\u2028<b>.jpg" + "x" * 300
    files = {"images": (name, faces.read("obama.jpg"), "image/jpeg")}
    response = client.post("/v1/enroll", data={"identity": "named"}, files=files)
    shown = answer(response, 201)["accepted"][0]["filename"]
    assert len(shown) <= 255
    listed = answer(client.get("/v1/identities/named"))["items"][0]["filename"]
    assert listed == shown


def test_the_declared_type_of_a_file_plays_no_part(client: httpx.Client, faces: Faces) -> None:
    files = {"images": ("a.txt", faces.read("obama.jpg"), "text/plain")}
    answer(client.post("/v1/enroll", data={"identity": "typed"}, files=files), 201)
