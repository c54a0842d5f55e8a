"""What the service believes of where a request came from, and which pages it answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.running import Service, service_process

LISTED = "https://app.example.org"
CORS = "access-control-"


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with one listed origin, behind a proxy on this machine."""
    settings = {"cors_origins": LISTED, "trusted_proxies": "127.0.0.1"}
    with service_process(tmp_path_factory.mktemp("data"), **settings) as service:
        yield service


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service as it is by default."""
    with service_process(tmp_path_factory.mktemp("data")) as service:
        yield service


def preflight(service: Service, origin: str, method: str, headers: str) -> httpx.Response:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": headers,
    }
    return httpx.options(f"{service.url}/v1/verify", headers=asked, trust_env=False)


def cors(response: httpx.Response) -> dict[str, str]:
    return {k: v for k, v in response.headers.items() if k.startswith(CORS)}


@pytest.mark.parametrize("origin", [LISTED, "https://evil.example", "null"])
def test_by_default_no_page_elsewhere_is_answered(closed: Service, origin: str) -> None:
    refused = preflight(closed, origin, "POST", "authorization")
    assert refused.status_code == 405
    assert cors(refused) == {}
    read = httpx.get(f"{closed.url}/v1/model", headers={"Origin": origin}, trust_env=False)
    assert cors(read) == {}


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", f"{LISTED}.evil.example", "http://app.example.org", "null", ""],
)
def test_a_page_that_is_not_listed_is_not_answered(edge: Service, origin: str) -> None:
    refused = preflight(edge, origin, "POST", "authorization")
    assert refused.status_code == 405
    assert refused.headers["content-type"] == "application/problem+json"
    assert cors(refused) == {}
    read = httpx.get(f"{edge.url}/v1/model", headers={"Origin": origin}, trust_env=False)
    assert f"{CORS}allow-origin" not in read.headers
    assert "Origin" in read.headers["vary"]


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("header", ["authorization", "x-api-key,content-type", "x-request-id"])
def test_a_listed_page_may_call_with_a_key(edge: Service, method: str, header: str) -> None:
    allowed = preflight(edge, LISTED, method, header)
    assert allowed.status_code == 200
    assert allowed.headers[f"{CORS}allow-origin"] == LISTED
    assert method in allowed.headers[f"{CORS}allow-methods"]
    assert f"{CORS}allow-credentials" not in allowed.headers
    # It carries what every answer does.
    assert allowed.headers["x-content-type-options"] == "nosniff"
    assert allowed.headers["x-request-id"]


@pytest.mark.parametrize(
    ("method", "header"), [("PUT", "authorization"), ("POST", "x-forwarded-for")]
)
def test_a_listed_page_may_do_no_more(edge: Service, method: str, header: str) -> None:
    assert preflight(edge, LISTED, method, header).status_code == 400


@pytest.mark.parametrize(("path", "status"), [("/v1/model", 200), ("/v1/identities/nobody", 404)])
def test_a_listed_page_reads_answers_and_problems(edge: Service, path: str, status: int) -> None:
    response = httpx.get(f"{edge.url}{path}", headers={"Origin": LISTED}, trust_env=False)
    assert response.status_code == status
    assert response.headers[f"{CORS}allow-origin"] == LISTED
    assert "X-Request-Id" in response.headers[f"{CORS}expose-headers"]


def sent_on_to(service: Service) -> str:
    """Where a request that claims to have come by https is sent on to: the log shows no address."""
    claims = {"X-Forwarded-For": "10.1.1.1, 203.0.113.7", "X-Forwarded-Proto": "https"}
    answer = httpx.get(f"{service.url}/docs/", headers=claims, trust_env=False)
    assert answer.status_code == 307
    return answer.headers["location"].partition("://")[0]


def test_by_default_nobody_is_believed_about_where_he_came_from(closed: Service) -> None:
    assert sent_on_to(closed) == "http"


def test_the_environment_of_the_server_underneath_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "*")
    with service_process(tmp_path) as service:
        assert sent_on_to(service) == "http"


def test_a_trusted_proxy_is_believed(edge: Service) -> None:
    assert sent_on_to(edge) == "https"


def test_another_address_is_not_believed(tmp_path: Path) -> None:
    with service_process(tmp_path, trusted_proxies="127.0.0.2,10.0.0.0/8") as service:
        assert sent_on_to(service) == "http"
