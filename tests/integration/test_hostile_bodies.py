"""Small bodies that could grow, and large ones of nothing: refused quickly, in little memory."""

from __future__ import annotations

import gzip
import json
import threading
import time
import zlib
from collections.abc import Iterator

import httpx
import pytest

from tests.faces import Faces
from tests.integration.api_client import answer, post, problem
from tests.integration.hostile import PLENTY_S, Cost
from tests.running import Service, service_process

SOON_S = 5.0
"""Each takes a fraction of a second; the machine may be busy."""
LARGE = 60_000_000
"""Nearly what a body may have."""
TWICE_MIB = 2 * LARGE // (1 << 20) + 60
"""A body is there in pieces and then in one, and is read as text."""

FORM = {"content-type": "multipart/form-data; boundary=x"}
JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service_process(tmp_path_factory.mktemp("data"), artifact="models/sface") as started:
        yield started


@pytest.fixture(scope="module")
def client(service: Service) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=PLENTY_S) as connected:
        yield connected


def filled(begin: bytes, with_: bytes, end: bytes) -> bytes:
    return begin + with_ * ((LARGE - len(begin) - len(end)) // len(with_)) + end


def costly(
    service: Service, path: str, body: bytes, headers: dict[str, str], most_mib: int
) -> httpx.Response:
    """The answer, which must come soon, while others are answered, too."""
    with (
        httpx.Client(base_url=service.url, timeout=PLENTY_S) as client,
        httpx.Client(base_url=service.url, timeout=PLENTY_S) as watch,
    ):
        watch.get("/healthz")
        cost, begun = Cost(service.process.pid), time.monotonic()
        longest, answers = 0.0, []
        asking = threading.Thread(
            target=lambda: answers.append(client.post(path, content=body, headers=headers))
        )
        asking.start()
        while asking.is_alive():
            asked = time.monotonic()
            watch.get("/healthz")
            longest = max(longest, time.monotonic() - asked)
            asking.join(0.02)
        spent = time.monotonic() - begun
    print(f"{spent:.2f} s, {cost.mib} MiB, others waited {longest * 1000:.0f} ms")
    assert spent < SOON_S
    assert longest < 2
    assert cost.mib < most_mib
    return answers[0]


def test_a_million_form_fields(service: Service) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    body = part * 1_000_000 + b"--x--\r\n"
    response = costly(service, "/v1/detect", body, FORM, TWICE_MIB)
    assert "Too many fields" in problem(response, 400, "invalid_request")["detail"]


def test_a_million_headers_of_a_part(service: Service) -> None:
    body = b"--x\r\n" + b"A: b\r\n" * 1_000_000 + b"\r\n1\r\n--x--\r\n"
    problem(costly(service, "/v1/detect", body, FORM, TWICE_MIB), 400, "invalid_request")


@pytest.mark.parametrize("fill", [b"\r", b"\r\n--", b"\r\n--xx"], ids=repr)
def test_a_file_that_nearly_ends_all_the_time(service: Service, fill: bytes) -> None:
    begin = b'--x9\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    body = filled(begin, fill, b"\r\n--x9--\r\n")
    headers = {"content-type": "multipart/form-data; boundary=x9"}
    # A third copy: the file that was cut out.
    response = costly(service, "/v1/detect", body, headers, TWICE_MIB + LARGE // (1 << 20))
    problem(response, 413, "image_too_large")


@pytest.mark.parametrize(
    ("begin", "fill", "end"),
    [
        (b'{"image": ', b"[", b""),
        (b'{"image": [', b"[],", b"0]}"),
        (b'{"image": [', b"{},", b"0]}"),
        (b'{"image": [', b"1.5,", b"0]}"),
        (b"{", b'"": 0,', b'"a": 0}'),
    ],
    ids=["deep", "lists", "objects", "numbers", "names"],
)
def test_json_of_many_values(service: Service, begin: bytes, fill: bytes, end: bytes) -> None:
    """Sixty megabytes of `[],` would be a gigabyte and a half, and everybody would wait."""
    response = costly(service, "/v1/detect", filled(begin, fill, end), JSON, TWICE_MIB)
    problem(response, 400, "invalid_request")


def test_json_as_deep_as_it_may_be(client: httpx.Client) -> None:
    for opens, closes in (("[", "]"), ('{"a":', "}")):
        inner = opens * 900 + "0" + closes * 900
        response = client.post("/v1/detect", content=f'{{"image": {inner}}}', headers=JSON)
        problem(response, 422, "invalid_request")


def test_text_instead_of_base64(service: Service) -> None:
    """A prefix of a data: URL that goes on for ever, which a regular expression would follow."""
    for begin, fill in ((b'{"image": "data:a/a', b";a"), (b'{"image": "', b"\\u0041")):
        body = filled(begin, fill, b'"}')
        # As text, and once more as what it stands for.
        response = costly(service, "/v1/detect", body, JSON, TWICE_MIB + LARGE // (1 << 20))
        assert response.status_code in {413, 422}


def test_an_identity_of_nothing_but_marks(service: Service, client: httpx.Client) -> None:
    """Composing them in order would take minutes, and nobody else would be answered."""
    for name in ("a" + "\u0301\u0316" * 200_000, "a" + "\u0316" * 1_000_000):
        body = json.dumps({"identity": name, "image": "AAAA"}, ensure_ascii=False).encode()
        content = problem(costly(service, "/v1/verify", body, JSON, 100), 422, "invalid_request")
        assert content["errors"][0]["field"] == "identity"
    problem(client.get("/v1/identities/a" + "\u0301\u0316" * 4_000), 404, "unknown_identity")


def test_a_long_name_in_pieces_is_composed(client: httpx.Client) -> None:
    """Vietnamese, as a Mac writes it: three characters a letter."""
    identity = "e\u0302\u0301" * 128
    response = client.get(f"/v1/identities/{identity}")
    assert problem(response, 404, "unknown_identity")["detail"] != "no such identity is enrolled"


@pytest.fixture(scope="module")
def bomb() -> bytes:
    """300 MiB in 300 KiB."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(bytes(1 << 20)) for _ in range(300)) + packer.flush()


@pytest.mark.parametrize("style", [FORM, JSON], ids=["form", "json"])
@pytest.mark.parametrize("coding", ["gzip", "GZIP", "br", "deflate, gzip", "x-unknown"])
def test_a_packed_body(service: Service, bomb: bytes, style: dict[str, str], coding: str) -> None:
    """It is not unpacked, and as it is not, it must not be misread either."""
    headers = style | {"content-encoding": coding}
    response = costly(service, "/v1/detect", bomb, headers, 60)
    detail = problem(response, 415, "unsupported_media_type")["detail"]
    assert "Content-Encoding" in detail
    assert response.headers["accept-encoding"] == "identity"


def test_an_unpacked_body_that_says_so(client: httpx.Client, faces: Faces) -> None:
    client.headers["content-encoding"] = "identity"
    answer(post(client, "/v1/detect", "json", {"image": faces.read("obama.jpg")}))
    del client.headers["content-encoding"]


def test_a_packed_body_that_does_not_say_so(client: httpx.Client) -> None:
    body = gzip.compress(b'{"image": "AAAA"}')
    problem(client.post("/v1/detect", content=body, headers=JSON), 400, "invalid_request")
    picture = gzip.compress(b"no picture")
    problem(post(client, "/v1/detect", "multipart", {"image": picture}), 422, "undecodable_image")


def test_nothing_of_this_was_a_fault_of_ours(service: Service) -> None:
    assert service.process.poll() is None
    assert "Traceback" not in "\n".join(service.output)
