"""Senders who take their time, and connections that say nothing: nobody waits for them."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

from tests.faces import Faces
from tests.integration.api_client import answer, post
from tests.integration.hostile import (
    GET,
    JSON_HEAD,
    PLENTY_S,
    Cost,
    connected,
    hear,
    open_files,
)
from tests.running import Service, running_service, service_process

LIMIT_S = 1.5
PLACES = 6
SLACK_S = 3.0
"""The machine may be busy."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("data")
    limits = {"receive_timeout_s": LIMIT_S, "max_in_flight": PLACES}
    # As many as an old system allows one process: it must take more by itself.
    with (
        open_files(1024),
        service_process(folder, artifact="models/sface", **limits) as started,
    ):
        yield started


def drip(connection: socket.socket, text: bytes, every_s: float, seconds: float) -> None:
    """Sends a byte now and then, until the other side has had enough."""
    until = time.monotonic() + seconds
    with suppress(ConnectionError):
        for byte in text:
            if time.monotonic() > until:
                return
            connection.sendall(bytes([byte]))
            time.sleep(every_s)


def test_a_body_a_byte_at_a_time(service: Service) -> None:
    with connected(service.url) as slow:
        begun = time.monotonic()
        slow.sendall(JSON_HEAD + b"Content-Length: 10000\r\n\r\n")
        drip(slow, b"{" * 1000, 0.1, LIMIT_S + 0.5)
        heard = hear(slow)
    assert LIMIT_S <= time.monotonic() - begun < LIMIT_S + SLACK_S
    assert heard.closed
    assert heard.statuses == [408]
    assert b'"code":"request_timeout"' in heard.said
    assert b"\r\nconnection: close\r\n" in heard.said.lower()


def test_headers_a_byte_at_a_time(service: Service) -> None:
    with connected(service.url) as slow:
        begun = time.monotonic()
        drip(slow, JSON_HEAD * 100, 0.1, LIMIT_S + 0.5)
        heard = hear(slow)
    assert LIMIT_S <= time.monotonic() - begun < LIMIT_S + SLACK_S
    assert heard.statuses == [408]
    assert b'"code": "request_timeout"' in heard.said


def test_the_rest_of_a_body_that_was_refused_is_not_waited_for(service: Service) -> None:
    """An answer does not buy the sender more time."""
    with connected(service.url) as slow:
        begun = time.monotonic()
        slow.sendall(JSON_HEAD + b"Content-Encoding: gzip\r\nContent-Length: 10000\r\n\r\n")
        drip(slow, b"{" * 1000, 0.1, LIMIT_S + 0.5)
        heard = hear(slow)
    assert heard.statuses == [415]
    assert heard.closed
    assert time.monotonic() - begun < LIMIT_S + SLACK_S


def test_a_poor_line_is_no_slow_sender(service: Service, faces: Faces) -> None:
    """Longer than the time-out in all, but fast enough: each byte earns its time."""
    picture = faces.read("obama.jpg")
    body = (
        b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
        + picture
        + b"\r\n--x--\r\n"
    )
    head = "POST /v1/detect HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x"
    with connected(service.url) as poor:
        begun = time.monotonic()
        poor.sendall(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        pieces = 12
        step = -(-len(body) // pieces)
        for at in range(0, len(body), step):
            poor.sendall(body[at : at + step])
            time.sleep(1.5 * LIMIT_S / pieces)
        assert time.monotonic() - begun > 1.2 * LIMIT_S
        assert hear(poor, 1.0).statuses == [200]


def test_a_healthy_client_among_slow_ones(tmp_path: Path, faces: Faces) -> None:
    """They hold every place, and would for a minute; somebody who needs one gets it."""
    picture = {"image": faces.read("obama.jpg")}
    limits = {"receive_timeout_s": 60, "max_in_flight": PLACES}
    with (
        running_service(tmp_path, artifact="models/sface", **limits) as url,
        httpx.Client(base_url=url, timeout=PLENTY_S) as client,
        ExitStack() as stack,
    ):
        answer(post(client, "/v1/detect", "multipart", picture))
        slow = [stack.enter_context(connected(url)) for _ in range(3 * PLACES)]
        for connection in slow:
            connection.sendall(JSON_HEAD + b"Content-Length: 10000\r\n\r\n{")
        # Sooner they are too new to be told slow.
        time.sleep(2.5)
        waits = []
        for _ in range(2 * PLACES):
            for connection in slow:
                with suppress(ConnectionError):
                    connection.sendall(b"{")
            begun = time.monotonic()
            answer(post(client, "/v1/detect", "multipart", picture))
            waits.append(time.monotonic() - begun)
        assert max(waits) < SLACK_S
        # Who made room was told so; no more of them than had to.
        told = [heard for connection in slow if (heard := hear(connection, 0.1)).statuses]
        statuses = sorted(status for heard in told for status in heard.statuses)
        assert statuses == [408, *[503] * (2 * PLACES)]


def test_who_leaves_in_the_middle_leaves_no_trace(service: Service, faces: Faces) -> None:
    cost = Cost(service.process.pid)
    for _ in range(40):
        with connected(service.url) as connection:
            connection.sendall(JSON_HEAD + b"Content-Length: 5000000\r\n\r\n" + b'{"image": "')
            connection.sendall(b"A" * 1_000_000)
    with httpx.Client(base_url=service.url, timeout=PLENTY_S) as client:
        deadline = time.monotonic() + SLACK_S
        while (response := post(client, "/v1/detect", "json", {"image": b"x"})).status_code == 503:
            assert time.monotonic() < deadline
        assert response.status_code == 422
        answer(post(client, "/v1/detect", "multipart", {"image": faces.read("obama.jpg")}))
    assert cost.mib < 150


def test_a_thousand_idle_connections(service: Service, faces: Faces) -> None:
    """More than half say nothing, others half a request, some have had an answer."""
    picture = {"image": faces.read("obama.jpg")}
    with (
        open_files(4096),
        httpx.Client(base_url=service.url, timeout=PLENTY_S) as client,
        ExitStack() as stack,
    ):
        answer(post(client, "/v1/detect", "multipart", picture))
        cost, begun = Cost(service.process.pid), time.monotonic()
        idle = [stack.enter_context(connected(service.url)) for _ in range(1000)]
        for connection in idle[:200]:
            connection.sendall(JSON_HEAD)
        for connection in idle[200:400]:
            connection.sendall(GET)
        asked = time.monotonic()
        answer(client.get("/healthz"))
        answer(post(client, "/v1/detect", "multipart", picture))
        assert time.monotonic() - asked < SLACK_S
        took = cost.mib
        assert all_close(idle, PLENTY_S)
        spent = time.monotonic() - begun
        answer(client.get("/healthz"))
    print(f"a thousand idle connections: {took} MiB, all closed after {spent:.1f} s")
    assert took < 100


def all_close(connections: list[socket.socket], wait_s: float) -> bool:
    """Whether the other side closes all of them."""
    until = time.monotonic() + wait_s
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection, selectors.EVENT_READ)
        while selector.get_map() and time.monotonic() < until:
            for key, _ in selector.select(0.5):
                assert isinstance(key.fileobj, socket.socket)
                try:
                    ended = not key.fileobj.recv(1 << 16)
                except ConnectionError:
                    ended = True
                if ended:
                    selector.unregister(key.fileobj)
        return not selector.get_map()


def test_nothing_of_this_was_a_fault_of_ours(service: Service) -> None:
    assert service.process.poll() is None
    assert "Traceback" not in "\n".join(service.output)
