"""What the operator's settings refuse, and how the service recovers."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest

from tests.faces import Faces
from tests.integration.api_client import answer, enrol, post, problem
from tests.pictures import encoded, rgb
from tests.running import Service, running_service, service_process

MAX_BODY = 3_000_000


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with tight limits."""
    with service_process(
        tmp_path_factory.mktemp("data"),
        max_in_flight=1,
        max_body_bytes=MAX_BODY,
        max_image_bytes=700_000,
        max_image_pixels=3_000_000,
        min_image_side_px=64,
        max_images=3,
        max_references=2,
        quality="strict",
        detection_threshold=0.25,
        verification_threshold=0.75,
    ) as started:
        yield started


@pytest.fixture(scope="module")
def tight(service: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=60) as connected:
        yield connected


def test_too_many_references(tight: httpx.Client, faces: Faces) -> None:
    enrol(tight, "full", faces.read("obama.jpg"))
    images = [faces.read("obama2.jpg"), faces.read("biden.jpg")]
    response = post(tight, "/v1/enroll", "multipart", {"images": images}, identity="full")
    problem(response, 409, "too_many_references")
    assert answer(tight.get("/v1/identities/full"))["references"] == 1
    assert enrol(tight, "full", faces.read("obama2.jpg"))["references"] == 2
    again = enrol(tight, "full", faces.read("obama.jpg"))
    assert again["accepted"][0]["duplicate"] is True
    response = post(tight, "/v1/enroll", "json", {"images": images[1:]}, identity="full")
    problem(response, 409, "too_many_references")


def test_the_operators_thresholds(tight: httpx.Client, faces: Faces) -> None:
    enrol(tight, "settings", faces.read("obama.jpg"))
    probe = {"image": faces.read("obama2.jpg")}
    content = answer(post(tight, "/v1/verify", "multipart", probe, identity="settings"))
    assert content["detection_threshold"] == {"value": 0.25, "source": "settings"}
    assert content["verification_threshold"] == {"value": 0.75, "source": "settings"}
    thresholds = answer(tight.get("/v1/model"))["thresholds"]
    expected = {"detection_threshold": 0.25, "verification_threshold": 0.75, "fmr": None}
    assert thresholds == expected | {"fusion": "share"}


def test_limits_of_one_image(tight: httpx.Client, faces: Faces) -> None:
    cases = {
        "image_too_large": (413, faces.read("astronaut.png")),
        "too_many_pixels": (413, faces.read("obama3.jpg")),
        "image_too_small": (422, encoded(rgb(faces.read("obama.jpg"))[:63, :100])),
    }
    for code, (status, data) in cases.items():
        problem(post(tight, "/v1/detect", "multipart", {"image": data}), status, code)


def test_the_strict_gate_shows_its_own_reasons(tight: httpx.Client, faces: Faces) -> None:
    dim = encoded((rgb(faces.read("obama.jpg")) * 0.3).astype(np.uint8), "JPEG")
    response = post(tight, "/v1/enroll", "multipart", {"images": dim}, identity="dim")
    content = problem(response, 422, "low_quality")
    # A standard gate would take it.
    assert content["reasons"] == ["blurred", "too_dark"]
    assert content["rejected"][0]["face"]["quality"]["reasons"] == ["blurred", "too_dark"]


@pytest.mark.parametrize("count", [4, 9])
def test_too_many_images(tight: httpx.Client, count: int) -> None:
    response = post(tight, "/v1/enroll", "json", {"images": [b"x"] * count}, identity="many")
    assert "at most 3" in problem(response, 422, "invalid_request")["detail"]


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x"])
def test_an_announced_body_that_is_too_large(tight: httpx.Client, kind: str) -> None:
    body = b"x" * (MAX_BODY + 1)
    response = tight.post("/v1/detect", content=body, headers={"content-type": kind})
    problem(response, 413, "request_too_large")


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x"])
def test_a_body_that_turns_out_too_large(service: Service, kind: str) -> None:
    """Chunked: no length is announced, and the sender would never stop."""
    head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    sent = 0

    def chunks() -> Iterator[bytes]:
        nonlocal sent
        yield head if "multipart" in kind else b'"'
        while sent < 10 * MAX_BODY:
            sent += 100_000
            yield b"x" * 100_000

    with httpx.Client(base_url=service.url, timeout=60) as client:
        response = client.post("/v1/detect", content=chunks(), headers={"content-type": kind})
    problem(response, 413, "request_too_large")


def test_beyond_the_admitted_requests_503_at_once_and_then_again_200(
    tight: httpx.Client, service: Service, faces: Faces
) -> None:
    picture = faces.read("obama.jpg")

    def detect(_: int) -> httpx.Response:
        with httpx.Client(base_url=service.url, timeout=60) as client:
            return post(client, "/v1/detect", "multipart", {"image": picture})

    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(detect, range(24)))
    served = [response for response in responses if response.status_code == 200]
    refused = [response for response in responses if response.status_code != 200]
    assert served
    assert refused
    for response in refused:
        problem(response, 503, "overloaded")
        assert response.headers["retry-after"] == "1"
    answer(post(tight, "/v1/detect", "multipart", {"image": picture}))


def test_what_is_not_about_pictures_is_never_refused(service: Service, faces: Faces) -> None:
    """A slow sender holds the one place; health and lists still answer."""
    host, port = service.url.removeprefix("http://").split(":")
    with (
        socket.create_connection((host, int(port))) as slow,
        httpx.Client(base_url=service.url) as client,
    ):
        head = "POST /v1/detect HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        slow.sendall(f"{head}Content-Length: 1000\r\n\r\n{{".encode())
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            response = post(client, "/v1/detect", "json", {"image": b"x"})
            if response.status_code == 503:
                break
        problem(response, 503, "overloaded")
        for path in ("/healthz", "/readyz", "/v1/identities", "/v1/model"):
            answer(client.get(path))
    with httpx.Client(base_url=service.url, timeout=60) as client:
        deadline = time.monotonic() + 5
        response = post(client, "/v1/detect", "json", {"image": faces.read("obama.jpg")})
        while response.status_code == 503 and time.monotonic() < deadline:
            response = post(client, "/v1/detect", "json", {"image": faces.read("obama.jpg")})
        answer(response)


def test_none_of_this_was_a_fault_of_ours(service: Service) -> None:
    """Callers who left or sent too much leave no traceback in the log, and no names."""
    said = "\n".join(service.output)
    assert "Traceback" not in said
    assert "failed" not in said
    assert "settings" not in said


def test_the_gate_off_takes_poor_pictures(tmp_path: Path, faces: Faces) -> None:
    dark = encoded((rgb(faces.read("obama.jpg")) * 0.2).astype(np.uint8), "JPEG")
    with (
        running_service(tmp_path, quality="off") as url,
        httpx.Client(base_url=url) as client,
    ):
        accepted = enrol(client, "dark", dark)["accepted"][0]
        # What a standard gate would have said is still told.
        assert accepted["face"]["quality"]["reasons"] == ["too_dark"]
