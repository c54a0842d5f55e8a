"""Requests whose ends are in doubt, and headers without end: one refusal, then silence."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.integration.hostile import GET, JSON_HEAD, Cost, Heard, ask, connected, hear
from tests.running import Service, service_process

SOON_S = 0.4


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service_process(tmp_path_factory.mktemp("data"), artifact="models/sface") as started:
        yield started


def refused(heard: Heard, status: int, code: str) -> None:
    """One problem and the end of the connection: nothing behind it was taken as a request."""
    assert heard.statuses == [status], heard.said
    assert heard.closed
    head, _, body = heard.said.partition(b"\r\n\r\n")
    assert b"content-type: application/problem+json" in head
    content = json.loads(body)
    assert (content["status"], content["code"]) == (status, code)
    assert content["detail"]
    assert f"x-request-id: {content['instance']}".encode() in head


CHUNKED = b"Transfer-Encoding: chunked\r\n"
IN_DOUBT = {
    "length and chunks": JSON_HEAD + b"Content-Length: 4\r\n" + CHUNKED + b"\r\n0\r\n\r\n",
    "chunks and length": JSON_HEAD + CHUNKED + b"Content-Length: 4\r\n\r\n0\r\n\r\n",
    "two lengths": JSON_HEAD + b"Content-Length: 2\r\nContent-Length: 40\r\n\r\n{}",
    "the same length twice": JSON_HEAD + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a list of lengths": JSON_HEAD + b"Content-Length: 2, 2\r\n\r\n{}",
    "length with a sign": JSON_HEAD + b"Content-Length: +2\r\n\r\n{}",
    "negative length": JSON_HEAD + b"Content-Length: -2\r\n\r\n{}",
    "length beyond 64 bits": JSON_HEAD + b"Content-Length: 18446744073709551618\r\n\r\n{}",
    "unknown coding": JSON_HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked not last": JSON_HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunked twice": JSON_HEAD + CHUNKED + CHUNKED + b"\r\n0\r\n\r\n",
    "space before the colon": JSON_HEAD + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "a control character": JSON_HEAD + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a folded line": JSON_HEAD + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n",
    "lines end in LF": JSON_HEAD.replace(b"\r\n", b"\n") + b"Content-Length: 2\n\n{}",
    "negative chunk": JSON_HEAD + CHUNKED + b"\r\n-1\r\n\r\n",
    "chunk beyond 64 bits": JSON_HEAD + CHUNKED + b"\r\n10000000000000002\r\n{}\r\n0\r\n\r\n",
    "chunks end in LF": JSON_HEAD + CHUNKED + b"\r\n2\n{}\n0\n\n",
    "NUL in a header": JSON_HEAD + b"X: a\x00b\r\nContent-Length: 2\r\n\r\n{}",
    "no such method": b"SMUGGLE /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
    "no HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),
}


@pytest.mark.parametrize("name", IN_DOUBT)
def test_where_two_readers_could_see_two_ends_nothing_is_read(service: Service, name: str) -> None:
    """A proxy may have taken the GET for a part of the body, and let it pass."""
    refused(ask(service.url, IN_DOUBT[name] + GET), 400, "invalid_request")


def test_two_requests_at_once_are_two(service: Service) -> None:
    """So what the tests above look for would be seen."""
    heard = ask(service.url, JSON_HEAD + b"Content-Length: 2\r\n\r\n{}" + GET, SOON_S)
    assert heard.statuses == [422, 200]


def test_a_packed_transfer(service: Service) -> None:
    """Its end is plain; what is in it is not unpacked."""
    request = JSON_HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n" + GET
    heard = ask(service.url, request, SOON_S)
    assert heard.statuses == [415, 200]
    assert b"without Transfer-Encoding" in heard.said


def test_a_body_in_a_get_is_no_request(service: Service) -> None:
    head = f"GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: {len(GET)}\r\n\r\n".encode()
    assert ask(service.url, head + GET, SOON_S).statuses == [200]


def test_a_body_longer_than_it_said(service: Service) -> None:
    """It is answered; what is left over is no request."""
    heard = ask(service.url, JSON_HEAD + b"Content-Length: 2\r\n\r\n{} and so on\r\n\r\n" + GET)
    # The first answer may still be on its way when the second ends the connection.
    assert heard.statuses in ([422, 400], [400])
    assert heard.closed


def test_a_body_shorter_than_it_said(service: Service) -> None:
    """The sender ends its side: nobody waits for the rest, and nothing is made of it."""
    for _ in range(70):  # more than there are places
        with connected(service.url) as connection:
            connection.sendall(JSON_HEAD + b"Content-Length: 90\r\n\r\n{}")
            connection.shutdown(1)
            heard = hear(connection)
            assert (heard.said, heard.closed) == (b"", True)
    assert ask(service.url, JSON_HEAD + b"Content-Length: 2\r\n\r\n{}", SOON_S).statuses == [422]


@pytest.mark.parametrize(
    ("head", "pieces"),
    [
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ", b"a" * 70_000),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ", b"a" * 40_000_000),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"X-Many: 1\r\n" * 1_000_000),
        (b"GET /", b"a" * 70_000),
        (b"GET /", b"a" * 40_000_000),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"a" * 40_000_000),
    ],
    ids=["long", "huge", "a million", "long target", "huge target", "huge name"],
)
def test_headers_without_end(service: Service, head: bytes, pieces: bytes) -> None:
    cost = Cost(service.process.pid)
    heard = ask(service.url, head + pieces + b"\r\n\r\n")
    assert heard.closed
    assert heard.spent_s < 5
    assert cost.mib < 30
    # The answer of who is still sent something may be lost on the way.
    if len(pieces) < 100_000:
        refused(heard, 431, "headers_too_large")


def test_headers_of_usual_size_are_taken(service: Service) -> None:
    for size in (8_000, 60_000):
        head = b"GET /healthz HTTP/1.1\r\nHost: x\r\nCookie: " + b"a" * size + b"\r\n\r\n"
        assert ask(service.url, head, SOON_S).statuses == [200]


def test_nothing_of_this_was_a_fault_of_ours(service: Service) -> None:
    assert service.process.poll() is None
    assert "Traceback" not in "\n".join(service.output)
