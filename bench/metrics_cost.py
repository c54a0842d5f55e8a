"""What counting costs a verification, and traces: `python -m bench.metrics_cost`.

What is done for each request is done alone, many times over: 10 microseconds are not to be
seen beside the 15 milliseconds of a verification. Then what reading them all takes from a
real service, which Prometheus does every 15 seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextvars
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bench.service import open_service
from service.api.measured import Measured
from service.core.meters import Meters
from service.core.stopwatch import Stopwatch
from service.tracing import Traced, Tracing

_STAGES = ("references", "decode", "detect", "decode", "detect", "align", "embed", "score")
_SCRAPES = 50
_FEW = 100
"""Requests traced in a row: more than come while spans are sent would have to wait."""

_SINK = """
from http.server import BaseHTTPRequestHandler, HTTPServer
class Sink(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *_): pass
server = HTTPServer(("127.0.0.1", 0), Sink)
print(server.server_port, flush=True)
server.serve_forever()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=20_000)
    repeats = parser.parse_args().repeats
    meters = Meters()
    request_us = _request_us(Measured(_answer, meters), repeats) - _request_us(_answer, repeats)
    stages_us = _stages_us(Stopwatch, repeats)
    told_us = _stages_us(lambda: Stopwatch(meters.stages), repeats) - stages_us

    def verdict() -> None:
        meters.score.observe(0.998, "0123456789abcdef", "accepted")

    verdict_us = _each_us(verdict, repeats)
    context_us = _each_us(lambda: contextvars.copy_context().run(int), repeats)
    print(f"the request, by route and status: {request_us:.1f} us")
    print(f"its {len(_STAGES)} stages: {told_us:.1f} us")
    print(f"the verdict with its score: {verdict_us:.1f} us")
    print(f"the request's context in its thread: {context_us:.1f} us")
    total_us = request_us + told_us + verdict_us + context_us
    print(f"a verification in all: {total_us:.1f} us = {total_us / 1000:.3f} ms")
    with _collector() as endpoint:
        tracing = Tracing(endpoint, 1.0)
        traced_us = _request_us(Traced(_answer, tracing), _FEW) - _request_us(_answer, _FEW)
        spans_us = _stages_us(lambda: Stopwatch(tracing.stages), _FEW) - stages_us
        tracing.close()
    print(f"with traces, all requests: {traced_us + spans_us:.0f} us more")
    with tempfile.TemporaryDirectory() as name, open_service(Path(name)) as url:
        scrape_ms, lines = _scrape(url)
    print(f"GET /metrics: p50 {scrape_ms:.1f} ms, {lines} lines")


@contextmanager
def _collector() -> Iterator[str]:
    """Where a process of its own takes traces, and throws them away."""
    process = subprocess.Popen([sys.executable, "-c", _SINK], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}/v1/traces"
    finally:
        process.terminate()
        process.wait(10)
        if process.stdout is not None:
            process.stdout.close()


async def _answer(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _receive() -> Message:
    return {"type": "http.request"}


async def _send(_message: Message) -> None:
    return


class _Route:
    path = "/v1/verify"


def _request_us(app: ASGIApp, repeats: int) -> float:
    scope = {"type": "http", "method": "POST", "route": _Route, "headers": []}

    async def ask() -> float:
        begun = time.perf_counter()
        for _ in range(repeats):
            await app(scope, _receive, _send)
        return 1e6 * (time.perf_counter() - begun) / repeats

    return _best(lambda: asyncio.run(ask()))


def _stages_us(watch_of: Callable[[], Stopwatch], repeats: int) -> float:
    def look() -> None:
        with watch_of() as watch:
            for name in _STAGES:
                with watch.stage(name):
                    pass

    return _each_us(look, repeats)


def _each_us(work: Callable[[], object], repeats: int) -> float:
    def all_of_them() -> float:
        begun = time.perf_counter()
        for _ in range(repeats):
            work()
        return 1e6 * (time.perf_counter() - begun) / repeats

    return _best(all_of_them)


def _best(measured: Callable[[], float]) -> float:
    """Of five: others at work make it longer, nothing makes it shorter."""
    return min(measured() for _ in range(5))


def _scrape(url: str) -> tuple[float, int]:
    times = []
    with httpx.Client(base_url=url) as client:
        for _ in range(_SCRAPES):
            begun = time.perf_counter()
            text = client.get("/metrics").raise_for_status().text
            times.append(1000 * (time.perf_counter() - begun))
    return statistics.median(times), len(text.splitlines())


if __name__ == "__main__":
    main()
