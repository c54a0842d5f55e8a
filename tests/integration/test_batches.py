"""Many verifications and enrolments in one request, a line each."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest

from tests.faces import Faces
from tests.integration.api_client import answer, base64_of, enrol, problem, specification_of
from tests.integration.commands import new_key
from tests.integration.json_schema import faults
from tests.pictures import encoded, rgb
from tests.running import Service, running_service, service_process

NDJSON = {"Content-Type": "application/x-ndjson"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("data")
    asked = {
        "artifact": "models/sface",
        "max_batch_items": 400,
        "max_body_bytes": 400_000,
        "max_batches": 2,
        "receive_timeout_s": 4,
    }
    with service_process(folder, **asked) as started:
        yield started


@pytest.fixture(scope="module")
def small(service: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=120) as client:
        yield client


@pytest.fixture(scope="module")
def pictures(small: httpx.Client, faces: Faces) -> dict[str, str]:
    """Small ones, as base64; "him" is enrolled."""
    found = {
        name: base64_of(encoded(rgb(faces.read(f"{name}.jpg"))[::2, ::2], "JPEG"))
        for name in ("obama", "obama2", "biden")
    }
    enrol(small, "him", base64.b64decode(found["obama"]))
    return found


def body_of(*items: object) -> bytes:
    return b"".join(json.dumps(item).encode() + b"\n" for item in items)


def sent(client: httpx.Client, what: str, body: Any) -> list[dict[str, Any]]:
    """The lines of the answer, each as OpenAPI has it."""
    response = client.post(f"/v1/{what}/batch", content=body, headers=NDJSON)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/x-ndjson"
    assert response.headers["x-request-id"]
    assert response.text.endswith("\n")
    lines: list[dict[str, Any]] = [json.loads(line) for line in response.content.splitlines()]
    specification = specification_of(response)
    operation = specification["paths"][f"/v1/{what}/batch"]["post"]
    schema = operation["responses"]["200"]["content"]["application/x-ndjson"]["schema"]
    for line in lines:
        assert faults(schema, line, specification["components"]["schemas"]) == []
    return lines


def codes(lines: Sequence[dict[str, Any]]) -> list[tuple[int, str | None]]:
    return [(line["status"], line.get("problem", {}).get("code")) for line in lines]


def test_each_item_has_its_line_and_a_bad_one_spoils_no_other(
    small: httpx.Client, pictures: dict[str, str]
) -> None:
    him = {"identity": "him", "image": pictures["obama2"]}
    lines = [
        json.dumps(him | {"id": "first"}),
        json.dumps(him | {"identity": "nobody", "id": "second"}),
        "this is no JSON",
        "",
        json.dumps({"identity": "him", "image": "%%%", "id": "fourth"}),
        "[1, 2]",
        json.dumps(him | {"id": 7}),
        json.dumps(him | {"fmr": 1e-30}),
        '{"identity": "him", "identity": "eve"}',
        json.dumps({"identity": "him", "image": base64_of(b"no picture")}),
        json.dumps(him | {"image": pictures["biden"], "id": "ä" * 128}),
        "   ",
        '{"identity": "him", "pad": "' + "x" * 400_000 + '"}',
        json.dumps(him),
    ]
    found = sent(small, "verify", "\n".join(lines).encode())
    assert [line["index"] for line in found] == list(range(12))
    assert codes(found) == [
        (200, None),
        (404, "unknown_identity"),
        (400, "invalid_request"),
        (422, "invalid_request"),
        (422, "invalid_request"),
        (422, "invalid_request"),
        (422, "invalid_request"),
        (400, "invalid_request"),
        (422, "undecodable_image"),
        (200, None),
        (413, "request_too_large"),
        (200, None),
    ]
    assert [line["id"] for line in found[:4]] == ["first", "second", None, "fourth"]
    assert found[9]["id"] == "ä" * 128
    verified = [line["result"]["verified"] for line in found if line["status"] == 200]
    assert verified == [True, False, True]
    assert all(line["problem"]["detail"] for line in found if line["status"] != 200)


def test_enrolments_are_stored_one_by_one(small: httpx.Client, pictures: dict[str, str]) -> None:
    found = sent(
        small,
        "enroll",
        body_of(
            {"identity": "joe", "images": [pictures["biden"]], "metadata": {"a": "b"}},
            {"identity": "joe", "images": []},
            {"identity": "bad", "images": [base64_of(b"none"), base64_of(b"neither")]},
            {"identity": "joe", "images": [base64_of(b"x")] * 21},
            {"identity": "joe", "images": [pictures["biden"]]},
        ),
    )
    assert codes(found) == [
        (201, None),
        (422, "invalid_request"),
        (422, "none_accepted"),
        (422, "invalid_request"),
        (201, None),
    ]
    assert len(found[2]["problem"]["rejected"]) == 2
    assert found[4]["result"]["accepted"][0]["duplicate"]
    kept = answer(small.get("/v1/identities/joe"))
    assert (kept["references"], kept["metadata"]) == (1, {"a": "b"})


def test_what_is_no_batch(small: httpx.Client, pictures: dict[str, str]) -> None:
    for what in ("verify", "enroll"):
        path = f"/v1/{what}/batch"
        problem(small.post(path), 415, "unsupported_media_type")
        problem(small.post(path, json={}), 415, "unsupported_media_type")
        packed = {**NDJSON, "Content-Encoding": "gzip"}
        problem(small.post(path, content=b"x", headers=packed), 415, "unsupported_media_type")
        for nothing in (b"", b"\n", b" \n\r\n\n"):
            response = small.post(path, content=nothing, headers=NDJSON)
            assert "no item" in problem(response, 400, "invalid_request")["detail"]


def test_too_many_lines(small: httpx.Client) -> None:
    found = sent(small, "verify", b"{}\n" * 390 + b"\n" * 20 + b"{}\n")
    assert len(found) == 391
    assert codes(found)[-2:] == [(422, "invalid_request"), (413, "request_too_large")]
    assert "400 lines" in found[-1]["problem"]["detail"]


def lines_of(connection: socket.socket) -> Iterator[bytes]:
    """Of a chunked answer, as they come."""
    file = connection.makefile("rb")
    while file.readline() != b"\r\n":
        pass
    while size := int(file.readline(), 16):
        yield from file.read(size).splitlines()
        file.readline()


def opened(service: Service, head: str = "") -> socket.socket:
    url = urlsplit(service.url)
    assert url.hostname is not None
    connection = socket.create_connection((url.hostname, url.port), 20)
    connection.sendall(
        b"POST /v1/verify/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\n"
        b"Transfer-Encoding: chunked\r\n" + head.encode() + b"\r\n"
    )
    return connection


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def test_answers_come_while_it_is_sent(service: Service, pictures: dict[str, str]) -> None:
    item = body_of({"identity": "him", "image": pictures["obama2"]})
    with opened(service) as connection:
        connection.sendall(chunk(item[:100]))
        connection.sendall(chunk(item[100:]))
        found = lines_of(connection)
        for index in range(3):
            line = json.loads(next(found))
            assert (line["index"], line["status"]) == (index, 200)
            connection.sendall(chunk(item))
        connection.sendall(b"0\r\n\r\n")
        assert json.loads(next(found))["index"] == 3
        assert list(found) == []


def test_one_who_sends_nothing_more_is_told(service: Service) -> None:
    with opened(service) as connection:
        connection.sendall(chunk(b"{}\n{"))
        found = [json.loads(line) for line in lines_of(connection)]
    assert codes(found) == [(422, "invalid_request"), (408, "request_timeout")]


def test_a_long_batch_is_not_held_in_memory(service: Service, small: httpx.Client) -> None:
    """Thirty megabytes of lines, read no faster than they are worked on."""
    process = psutil.Process(service.process.pid)
    most = 0

    def lines() -> Iterator[bytes]:
        nonlocal most
        line = b'{"identity": "nobody", "image": "' + b"A" * 99_000 + b'"}\n'
        for _ in range(300):
            yield line
            most = max(most, process.memory_info().rss)

    sent(small, "verify", b"{}\n" * 50)
    before = process.memory_info().rss
    assert codes(sent(small, "verify", lines())) == [(404, "unknown_identity")] * 300
    assert most - before < 15_000_000


def test_batches_at_once_and_others_beside_them(
    service: Service, small: httpx.Client, pictures: dict[str, str]
) -> None:
    item = {"identity": "him", "image": pictures["obama2"]}
    with opened(service) as one, opened(service) as other:
        for connection in (one, other):
            connection.sendall(chunk(body_of(item)))
            assert json.loads(next(lines_of(connection)))["status"] == 200
        response = small.post("/v1/verify/batch", content=body_of(item), headers=NDJSON)
        problem(response, 503, "overloaded")
        # One picture by itself is verified all the same.
        assert answer(small.post("/v1/verify", json=item))["verified"]
    deadline = time.monotonic() + 10
    while small.post("/v1/verify/batch", content=body_of(item), headers=NDJSON).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_each_item_counts_for_its_key(tmp_path: Path) -> None:
    with service_process(tmp_path, artifact="models/sface", insecure=False) as service:
        key = new_key(tmp_path, "verify", "--rate", "5")
        headers = {"X-API-Key": key}
        with httpx.Client(base_url=service.url, timeout=60, headers=headers) as client:
            found = sent(client, "verify", b"{}\n" * 8)
            assert codes(found) == [(422, "invalid_request")] * 5 + [(429, "rate_limited")] * 3
            problem(client.get("/v1/model"), 429, "rate_limited")


def test_none_where_the_operator_wants_none(tmp_path: Path) -> None:
    with (
        running_service(tmp_path, artifact="models/sface", max_batches=0) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        response = client.post("/v1/verify/batch", content=b"{}\n", headers=NDJSON)
        problem(response, 503, "overloaded")
