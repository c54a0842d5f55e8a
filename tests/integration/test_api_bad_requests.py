"""Every request that cannot be read: a clear problem, and nothing stored."""

from __future__ import annotations

import base64
import json
import socket
import time
from typing import Any

import httpx
import pytest

from tests.faces import Faces
from tests.integration.api_client import STYLES, Style, answer, post, problem

ROUTES = ("/v1/enroll", "/v1/verify", "/v1/compare", "/v1/detect", "/enroll", "/verify")
PICTURES = {
    "/v1/enroll": ("images",),
    "/v1/verify": ("image",),
    "/v1/compare": ("image_a", "image_b"),
    "/v1/detect": ("image",),
}


@pytest.fixture(scope="module")
def good(faces: Faces) -> bytes:
    return faces.read("astronaut.png")


def pictures(path: str, data: bytes) -> dict[str, Any]:
    return {name: [data] if name == "images" else data for name in PICTURES[path]}


def in_json(path: str, data: bytes) -> dict[str, Any]:
    text = base64.b64encode(data).decode()
    return {name: [text] if name == "images" else text for name in PICTURES[path]}


@pytest.mark.parametrize("path", ROUTES)
def test_no_body_at_all(client: httpx.Client, path: str) -> None:
    problem(client.post(path), 415, "unsupported_media_type")


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    "kind", ["text/plain", "image/jpeg", "application/x-www-form-urlencoded", "multipart/mixed", ""]
)
def test_another_kind_of_body(client: httpx.Client, path: str, kind: str) -> None:
    response = client.post(path, content=b"identity=ada", headers={"content-type": kind})
    problem(response, 415, "unsupported_media_type")


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe\xff",
        b"[" * 100_000,
        b'{"a": 1, "a": 2}',
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
    ids=["empty", "half", "no text", "deep", "a name twice", "long number"],
)
def test_a_body_that_is_no_json(client: httpx.Client, path: str, body: bytes) -> None:
    response = client.post(path, content=body, headers={"content-type": "application/json"})
    problem(response, 400, "invalid_request")


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("body", ["[]", "null", "3", '"text"', "{}", '{"\\ud800": 1}'])
def test_json_that_is_no_request(client: httpx.Client, path: str, body: str) -> None:
    response = client.post(path, content=body, headers={"content-type": "application/json"})
    problem(response, 422, "invalid_request")


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"--x\r\n\r\n--x--"),
        ("multipart/form-data; boundary=", b"--x\r\n\r\n--x--"),
        ("multipart/form-data; boundary=x", b"not a form"),
        ("multipart/form-data; boundary=x", b"--x\r\nno colon\r\n\r\n"),
        (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data\r\n\r\na\r\n--x--",
        ),
        ("multipart/form-data; boundary=" + "x" * 5000, b"--x"),
    ],
    ids=["no boundary", "empty boundary", "no form", "bad header", "no name", "long boundary"],
)
def test_a_form_that_cannot_be_read(
    client: httpx.Client, path: str, kind: str, body: bytes
) -> None:
    response = client.post(path, content=body, headers={"content-type": kind})
    status = response.status_code
    assert status in {400, 422}
    problem(response, status, "invalid_request")


@pytest.mark.parametrize("path", PICTURES)
@pytest.mark.parametrize("style", STYLES)
def test_an_unknown_field(client: httpx.Client, good: bytes, path: str, style: Style) -> None:
    fields = {} if path in {"/v1/compare", "/v1/detect"} else {"identity": "unknown field"}
    response = post(client, path, style, pictures(path, good), **fields, detection_treshold=0)
    content = problem(response, 422, "invalid_request")
    assert [item["field"] for item in content["errors"]] == ["detection_treshold"]


@pytest.mark.parametrize("path", PICTURES)
def test_a_form_field_twice(client: httpx.Client, good: bytes, path: str) -> None:
    fields: list[tuple[str, tuple[str | None, bytes]]]
    fields = [(name, ("a.png", good)) for name in PICTURES[path]]
    twice = [*fields, ("faces", (None, b"largest")), ("faces", (None, b"center"))]
    assert "came twice" in problem(client.post(path, files=twice), 400, "invalid_request")["detail"]
    if path != "/v1/enroll":
        problem(client.post(path, files=[*fields, fields[0]]), 400, "invalid_request")


@pytest.mark.parametrize("path", PICTURES)
def test_no_picture(client: httpx.Client, path: str) -> None:
    for body in ({}, dict.fromkeys(PICTURES[path]), dict.fromkeys(PICTURES[path], 7)):
        identity = {} if path in {"/v1/compare", "/v1/detect"} else {"identity": "no picture"}
        problem(client.post(path, json={**identity, **body}), 422, "invalid_request")


def test_an_empty_list_of_pictures(client: httpx.Client) -> None:
    response = client.post("/v1/enroll", json={"identity": "ada", "images": []})
    problem(response, 422, "invalid_request")


@pytest.mark.parametrize("path", PICTURES)
@pytest.mark.parametrize("text", ["not base64!", "A", "data:image/png;base64,###", "data:,x", "é"])
def test_text_that_is_no_base64(client: httpx.Client, path: str, text: str) -> None:
    body: dict[str, Any] = {name: [text] if name == "images" else text for name in PICTURES[path]}
    if path not in {"/v1/compare", "/v1/detect"}:
        body["identity"] = "ada"
    detail = problem(client.post(path, json=body), 422, "invalid_request")["detail"]
    assert "base64" in detail
    assert text not in detail


IDENTITIES = [
    *("", " ", ".", "..", "../../etc/passwd", "a/b", "/", "a\\b", "a\x00b", "a\nb", " ada", "ada "),
    *("x" * 129, "x" * 10_000, "\U0001f600", "<script>", "\u202eada"),
]


@pytest.mark.parametrize("path", ["/v1/enroll", "/v1/verify"])
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("identity", IDENTITIES, ids=lambda text: ascii(text)[:20])
def test_a_bad_identity(
    client: httpx.Client, good: bytes, path: str, style: Style, identity: str
) -> None:
    response = post(client, path, style, pictures(path, good), identity=identity)
    content = problem(response, 422, "invalid_request")
    assert content["errors"][0]["field"] == "identity"


@pytest.mark.parametrize("identity", [None, 7, True, ["ada"], {"name": "ada"}], ids=str)
@pytest.mark.parametrize("path", ["/v1/enroll", "/v1/verify"])
def test_an_identity_that_is_no_text(
    client: httpx.Client, good: bytes, path: str, identity: object
) -> None:
    body = {"identity": identity} | in_json(path, good)
    problem(client.post(path, json=body), 422, "invalid_request")


@pytest.mark.parametrize("value", ["false", "true", "NaN", "Infinity", "1e400", "[0]", '""', "{}"])
@pytest.mark.parametrize("field", ["detection_threshold", "verification_threshold", "fmr"])
def test_json_values_that_are_no_threshold(
    client: httpx.Client, good: bytes, field: str, value: str
) -> None:
    body = json.dumps({"identity": "ada"} | in_json("/v1/verify", good))
    raw = f'{body[:-1]}, "{field}": {value}}}'
    response = client.post("/v1/verify", content=raw, headers={"content-type": "application/json"})
    content = problem(response, 422, "invalid_request")
    assert [item["field"] for item in content["errors"]] == [field]


def test_a_thousand_wrong_fields_get_a_short_answer(client: httpx.Client) -> None:
    body = {f"wrong{number}{'x' * 500}": 1 for number in range(1000)}
    response = client.post("/v1/detect", json=body)
    assert len(problem(response, 422, "invalid_request")["errors"]) <= 20


@pytest.mark.parametrize("style", STYLES)
def test_too_many_images(client: httpx.Client, good: bytes, style: Style) -> None:
    for count in (21, 30):
        response = post(
            client, "/v1/enroll", style, {"images": [good[:100]] * count}, identity="too many"
        )
        status = response.status_code
        assert status in {400, 422}
        problem(response, status, "invalid_request")


def test_a_caller_who_leaves_in_the_middle_does_no_harm(
    client: httpx.Client, service_url: str, good: bytes
) -> None:
    host, port = service_url.removeprefix("http://").split(":")
    for _ in range(5):
        with socket.create_connection((host, int(port))) as connection:
            head = "POST /v1/detect HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            connection.sendall(f"{head}Content-Length: 100000\r\n\r\n".encode() + b"{" * 500)
    time.sleep(0.2)
    answer(post(client, "/v1/detect", "multipart", {"image": good}))


def test_an_offer_to_go_on_in_http_2_is_not_taken(client: httpx.Client, good: bytes) -> None:
    """Java's own client makes it with its first request, of whatever kind."""
    headers = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AA"}
    for _ in range(2):
        response = client.post("/v1/detect", files={"image": good}, headers=headers)
        assert len(answer(response)["faces"]) == 1


def test_nothing_was_stored(client: httpx.Client) -> None:
    assert answer(client.get("/v1/identities"))["identities"] == []
