"""What goes into the logs: lines of ours, and of exceptions where they came from."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.staticfiles import StaticFiles

from service import logs
from service.api.access_log import Logged
from service.api.middleware import Headed
from tests.running import ROOT

SECRET = "Tellingname"
FORMATS = ("text", "json")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Other tests have their own handlers."""
    root = logging.getLogger()
    handlers, level, hook = root.handlers[:], root.level, threading.excepthook
    yield
    root.handlers[:], threading.excepthook = handlers, hook
    root.setLevel(level)
    logging.captureWarnings(False)


def fail(depth: int = 0) -> None:
    if depth:
        try:
            fail(depth - 1)
        except ValueError as error:
            raise KeyError(SECRET) from error
    raise ValueError(SECRET)


def grouped() -> None:
    try:
        fail(1)
    except KeyError as error:
        error.add_note(SECRET)
        raise ExceptionGroup(SECRET, [error]) from None


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("cause", [fail, lambda: fail(2), grouped])
def test_an_exception_is_logged_without_its_text(
    form: Any, cause: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.install(form)
    try:
        cause()
    except Exception:
        logging.getLogger("semblance").exception("request %s failed", "r-1")
    said = capsys.readouterr().err
    assert SECRET not in said
    assert "request r-1 failed" in said
    assert "ValueError" in said
    line = fail.__code__.co_firstlineno + 6
    assert f"test_logs.py:{line} fail" in said


def test_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    logs.install("json")
    logger = logging.getLogger("semblance")
    logger.warning('several\nlines "quoted" %s', "ü", extra={logs.FIELDS: {"status": 200}})
    logger.debug("too little")
    (line,) = capsys.readouterr().err.splitlines()
    found = json.loads(line)
    assert found.pop("time").endswith("+00:00")
    assert found == {
        "level": "WARNING",
        "logger": "semblance",
        "message": 'several\nlines "quoted" ü',
        "status": 200,
    }


def test_an_operating_system_error_keeps_its_number(capsys: pytest.CaptureFixture[str]) -> None:
    logs.install("text")
    try:
        Path(f"/{SECRET}/no such folder").read_bytes()
    except OSError:
        logging.getLogger("semblance").exception("no file")
    said = capsys.readouterr().err
    assert "FileNotFoundError 2" in said
    assert SECRET not in said


@pytest.mark.parametrize("form", FORMATS)
def test_what_a_task_or_a_thread_failed_with_is_not_quoted(
    form: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.install(form)

    async def forgotten() -> None:
        async def task() -> None:
            raise ValueError(SECRET)

        running = asyncio.create_task(task())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        del running

    asyncio.run(forgotten())
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    said = capsys.readouterr().err
    assert SECRET not in said
    assert "Task exception was never retrieved" in said
    assert "a thread ended" in said
    assert said.count("ValueError") == 2


# The line of a request


@pytest.fixture
def app() -> FastAPI:
    app = FastAPI()

    @app.get("/v1/identities/{identity}")
    async def one(identity: str, request: Request) -> str:
        request.state.key_id = "0123456789abcdef"
        return identity

    @app.get("/broken/{identity}")
    async def broken(identity: str) -> str:
        raise ValueError(identity)

    app.mount("/static", StaticFiles(directory=ROOT / "static"))
    app.add_middleware(Headed)
    app.add_middleware(Logged)
    return app


def ask(app: FastAPI, method: str, path: str) -> None:
    async def main() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            await client.request(method, path, headers={"X-Request-Id": "r-1"})

    asyncio.run(main())


def key_of(status: int) -> str | None:
    return "0123456789abcdef" if status == 200 else None


REQUESTS = [
    ("GET", f"/v1/identities/{SECRET}", "/v1/identities/{identity}", 200),
    ("GET", f"/v1/identities/{SECRET}?a={SECRET}", "/v1/identities/{identity}", 200),
    ("PUT", f"/v1/identities/{SECRET}", "/v1/identities/{identity}", 405),
    ("GET", f"/broken/{SECRET}", "/broken/{identity}", 500),
    ("GET", f"/{SECRET}", "-", 404),
    ("GET", f"/v1/identities/{SECRET}/", "-", 307),
    ("GET", f"/static/{SECRET}", "/static", 404),
    (SECRET.upper(), "/", "-", 404),
]


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("form", FORMATS)
def test_the_line_of_a_request_shows_its_route_and_no_name(
    app: FastAPI,
    capsys: pytest.CaptureFixture[str],
    request_: tuple[str, str, str, int],
    form: Any,
) -> None:
    method, path, route, status = request_
    logs.install(form)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    ask(app, method, path)
    said = capsys.readouterr().err
    assert SECRET.lower() not in said.lower()
    line = said.splitlines()[-1]
    shown = method if method in ("GET", "PUT") else "OTHER"
    if form == "text":
        pattern = (
            rf"INFO semblance.access: r-1 {shown} {re.escape(route)} {status} "
            rf"\d+\.\d ms key {key_of(status) or '-'}"
        )
        assert re.fullmatch(pattern, line), line
        return
    found = json.loads(line)
    assert found["elapsed_ms"] >= 0
    expected = {"method": shown, "route": route, "status": status, "key_id": key_of(status)}
    assert {name: found[name] for name in expected} == expected
    assert found["request_id"] == "r-1"
