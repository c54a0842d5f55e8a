"""Traces: what reaches a real collector, that it names nobody, and what one that is away costs."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.faces import Faces
from tests.integration.api_client import enrol, post
from tests.integration.commands import service_command
from tests.running import service_process

STAGES = ("references", "decode", "detect", "align", "embed", "score")
SERVER, ERROR = 2, 2
IDENTITY = "Ada Lovelace"
WAIT_S = 20
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


class Collector:
    """Takes OTLP over HTTP, and keeps what it was sent."""

    def __init__(self) -> None:
        self.received: list[ExportTraceServiceRequest] = []
        self.raw = b""
        self.changed = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                request = ExportTraceServiceRequest()
                request.ParseFromString(body)
                with outer.changed:
                    outer.raw += body
                    outer.received.append(request)
                    outer.changed.notify_all()
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}/v1/traces"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def spans(self) -> list[Span]:
        return [
            span
            for request in self.received
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def trace_of(self, name: str) -> list[Span]:
        """The spans of the trace whose request has this name, once it has come."""
        with self.changed:
            came = self.changed.wait_for(
                lambda: any(span.name == name for span in self.spans), WAIT_S
            )
            assert came, [span.name for span in self.spans]
            (root,) = [span for span in self.spans if span.name == name]
            return [span for span in self.spans if span.trace_id == root.trace_id]


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()
    try:
        yield collector
    finally:
        collector.close()


def attributes(span: Span) -> dict[str, object]:
    return {one.key: one.value.string_value or one.value.int_value for one in span.attributes}


def test_a_request_and_its_stages_reach_the_collector(tmp_path: Path, faces: Faces) -> None:
    with (
        collecting() as collector,
        service_process(tmp_path, traces_endpoint=collector.endpoint) as service,
        httpx.Client(base_url=service.url, timeout=60) as client,
    ):
        enrol(client, IDENTITY, faces.read("obama.jpg"))
        headers = {
            "traceparent": f"00-{TRACE}-{PARENT}-01",
            "baggage": "who=BaggageOfSomebody",
            "X-Request-Id": "SomeRequestId",
        }
        client.headers.update(headers)
        begun = time.time_ns()
        post(client, "/v1/verify", "json", {"image": faces.read("obama2.jpg")}, identity=IDENTITY)
        ended = time.time_ns()
        client.get(f"/v1/identities/{IDENTITY}/references/{'0' * 32}/image?secret=QueryOfSomebody")
        trace = collector.trace_of("POST /v1/verify")
        collector.trace_of("GET /v1/identities/{identity}/references/{reference_id}/image")
    (root,) = [span for span in trace if span.name == "POST /v1/verify"]
    # In the caller's trace, below the caller's span.
    assert (root.trace_id.hex(), root.parent_span_id.hex()) == (TRACE, PARENT)
    assert root.kind == SERVER
    assert attributes(root) == {
        "http.request.method": "POST",
        "http.route": "/v1/verify",
        "http.response.status_code": 200,
    }
    stages = [span for span in trace if span.parent_span_id == root.span_id]
    # A picture is decoded and looked at twice.
    assert {span.name for span in stages} >= set(STAGES)
    slack_ns = 5_000_000
    for span in stages:
        assert begun - slack_ns <= span.start_time_unix_nano <= span.end_time_unix_nano
        assert span.end_time_unix_nano <= ended + slack_ns
        assert attributes(span) == {}
    for part in (*IDENTITY.split(), "SomeRequestId", "BaggageOf", "QueryOf", "127.0.0.1", "httpx"):
        assert part.encode() not in collector.raw
    (resource,) = {
        tuple(sorted((one.key, one.value.string_value) for one in found.resource.attributes))
        for request in collector.received
        for found in request.resource_spans
    }
    assert dict(resource).keys() == {"service.name", "service.version"}


def test_a_collector_that_is_away_costs_no_request(tmp_path: Path, faces: Faces) -> None:
    with (
        service_process(tmp_path, traces_endpoint="http://127.0.0.1:9/v1/traces") as service,
        httpx.Client(base_url=service.url, timeout=60) as client,
    ):
        enrol(client, IDENTITY, faces.read("obama.jpg"))
        begun = time.monotonic()
        for _ in range(3):
            assert client.get("/readyz").status_code == 200
        assert time.monotonic() - begun < 2
        service.process.terminate()
        assert service.process.wait(15) == 0
    assert not any(IDENTITY in line for line in service.output)


@pytest.mark.parametrize("share", [0.0])
def test_of_no_share_nothing_is_sent_but_what_a_caller_traces(tmp_path: Path, share: float) -> None:
    with (
        collecting() as collector,
        service_process(
            tmp_path, traces_endpoint=collector.endpoint, traces_share=share
        ) as service,
        httpx.Client(base_url=service.url, timeout=60) as client,
    ):
        for _ in range(5):
            client.get("/healthz")
        client.get("/readyz", headers={"traceparent": f"00-{TRACE}-{PARENT}-01"})
        collector.trace_of("GET /readyz")
    assert {span.name for span in collector.spans} == {"GET /readyz"}


def test_an_address_that_is_none_stops_the_start(tmp_path: Path) -> None:
    said = service_command(tmp_path, "doctor", status=1, traces_endpoint="collector:4317").stdout
    assert "SEMBLANCE_TRACES_ENDPOINT" in said
