"""What every answer carries, the routes about the service itself, and faults of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from model.artifact import Artifact
from service.app import create_app
from service.settings import Settings
from service.storage.memory_store import MemoryStore
from tests.integration.api_client import answer
from tests.running import ROOT


@pytest.mark.parametrize("given", ["a", "req-1.2_3", "A" * 64])
def test_a_plain_request_id_is_kept(client: httpx.Client, given: str) -> None:
    for path in ("/healthz", "/v1/identities/nobody", "/nowhere", "/"):
        response = client.get(path, headers={"X-Request-Id": given})
        assert response.headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "a b", "A" * 65, "a/b", "<b>", "a\tb", "\u00e9"])
def test_any_other_request_id_is_replaced(client: httpx.Client, given: str) -> None:
    response = client.get("/healthz", headers={b"X-Request-Id": given.encode()})
    assert re.fullmatch("[0-9a-f]{32}", response.headers["x-request-id"])


def test_without_one_each_answer_gets_its_own(client: httpx.Client) -> None:
    ids = {client.get("/healthz").headers["x-request-id"] for _ in range(5)}
    assert len(ids) == 5


CLOSED = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/", 405),
        ("GET", "/static/style.css", 200),
        ("GET", "/static/nothing.js", 404),
        ("GET", "/docs", 200),
        ("GET", "/docs/files/swagger-ui.css", 200),
        ("GET", "/openapi.json", 200),
        ("GET", "/healthz", 200),
        ("GET", "/v1/identities", 200),
        ("GET", "/v1/identities/nobody", 404),
        ("GET", "/v1/verify", 405),
        ("OPTIONS", "/v1/verify", 405),
        ("POST", "/v1/verify", 415),
        ("POST", "/verify", 415),
        ("POST", "/enroll", 415),
        ("TRACE", "/", 405),
        ("GET", "/x", 404),
    ],
)
def test_every_answer_closes_what_is_not_needed(
    client: httpx.Client, method: str, path: str, status: int
) -> None:
    response = client.request(method, path)
    headers = response.headers
    assert response.status_code == status
    assert {name: headers[name] for name in CLOSED} == CLOSED
    policy = headers["content-security-policy"]
    for part in ("default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert part in policy
    assert headers["x-request-id"]
    assert not {"server", "x-powered-by"} & set(headers)
    api = path.startswith(("/v1/", "/verify", "/enroll"))
    assert ("no-store" in headers.get("cache-control", "")) == api
    assert len(headers.get_list("content-security-policy")) == 1


@pytest.mark.parametrize(
    "path", ["/nowhere", "/v1", "/v1/identities/a/b", "/static/../service/app.py", "/static/none"]
)
def test_nothing_at_an_address(client: httpx.Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "not_found"


def test_a_method_that_is_not_taken(client: httpx.Client) -> None:
    response = client.get("/v1/verify")
    assert response.status_code == 405
    assert response.json()["code"] == "method_not_allowed"
    assert response.headers["allow"] == "POST"


def test_health_and_readiness(client: httpx.Client) -> None:
    assert answer(client.get("/healthz")) == {"status": "ok"}
    assert answer(client.get("/readyz")) == {"status": "ok"}


def test_the_model(client: httpx.Client, artifact: Artifact) -> None:
    content = answer(client.get("/v1/model"))
    manifest = artifact.manifest
    assert content["fingerprint"] == manifest.fingerprint
    assert content["input_size"] == [190, 174]
    assert content["embedding_size"] == 256
    assert content["runtime"] == "openvino"
    assert content["thresholds"]["detection_threshold"] == manifest.detection_threshold
    assert content["thresholds"]["fmr"] == 1e-4
    assert content["calibration"]["accuracy"] >= 0.994
    assert len(content["calibration"]["points"]) == 5
    # Where files lie and what they are called is no one's business.
    assert not {"files", "saved_model", "detector"} & set(content)


@pytest.mark.parametrize("page", ["/", "/docs"])
def test_a_page_finds_all_it_asks_for_here(client: httpx.Client, page: str) -> None:
    html = client.get(page).text
    asked = re.findall(r'(?:src|href)="([^"#]+)"', html) + re.findall(r"url: '([^']+)'", html)
    assert asked
    for address in asked:
        assert not address.startswith(("http:", "https:", "//")), address
        assert client.get(address).status_code == 200, address


def test_the_page_may_not_run_what_is_written_into_it(client: httpx.Client) -> None:
    policy = client.get("/").headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "<script>" not in client.get("/").text
    docs = client.get("/docs").headers["content-security-policy"]
    assert "script-src 'self' 'sha256-" in docs


class Broken(MemoryStore):
    """A store with a fault that nobody thought of."""

    def check(self) -> None:
        raise RuntimeError("SECRET /var/lib/semblance/data.sqlite3")


@pytest.mark.anyio
async def test_a_fault_of_ours_tells_nothing_but_the_request_id(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    settings = Settings.model_validate(
        {"artifact": ROOT / "models" / "fused", "data_dir": tmp_path, "insecure": True}
    )
    app = create_app(settings, store=Broken())
    async with app.router.lifespan_context(app) as state:
        transport = httpx.ASGITransport(_with_state(app, state))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            response = await client.get("/readyz", headers={"X-Request-Id": "fault-1"})
            assert response.status_code == 500
            assert response.headers["content-type"] == "application/problem+json"
            assert response.headers["x-request-id"] == "fault-1"
            assert response.headers["x-content-type-options"] == "nosniff"
            assert response.json()["code"] == "internal_error"
            assert response.json()["instance"] == "fault-1"
            assert "SECRET" not in response.text
            assert (await client.get("/healthz")).status_code == 200
    assert "request fault-1 failed" in caplog.text
    assert "SECRET" in caplog.text


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _with_state(app: ASGIApp, state: Mapping[str, Any] | None) -> ASGIApp:
    """httpx's transport has no lifespan state; a server gives each request a copy."""

    async def served(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "state": dict(state or {})}, receive, send)

    return served
