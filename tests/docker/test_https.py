"""HTTPS as an operator starts it: Caddy before the service, with a certificate of its own."""

from __future__ import annotations

import io
import socket
import ssl
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from tests.docker.answers import assert_closed, assert_problem
from tests.docker.stack import HTTPS, SERVICE, Stack, inspect, stack
from tests.faces import Faces

pytestmark = [pytest.mark.long, pytest.mark.timeout(2400)]

USER = 10002
LIMIT = 8 * 1024 * 1024
MOST_IN_FLIGHT = 8


@pytest.fixture(scope="module")
def running(built: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("https")
    chosen = {"SEMBLANCE_MAX_BODY_BYTES": str(LIMIT)}
    # As an operator would, in docker-compose.yml.
    settings = {
        "SEMBLANCE_ACCESS_LOG": "true",
        "SEMBLANCE_MAX_IN_FLIGHT": str(MOST_IN_FLIGHT),
        "SEMBLANCE_INSECURE": "true",
    }
    with stack(folder, built, https=True, settings=settings, variables=chosen) as made:
        made.up()
        wait_for(made)
        yield made


@pytest.fixture
def client(running: Stack) -> Iterator[httpx.Client]:
    with to(running) as client:
        yield client


def to(running: Stack) -> httpx.Client:
    """A client that takes any certificate, as a person does who has been warned."""
    return httpx.Client(base_url=running.https_url, verify=False, trust_env=False, timeout=30)


def wait_for(running: Stack) -> None:
    with to(running) as client:
        for _ in range(100):
            try:
                if client.get("/readyz").is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.2)
    raise RuntimeError(running.compose("logs", HTTPS))


def certificate(running: Stack, name: str | None) -> tuple[set[str], float]:
    """Names of the certificate that a browser is shown, and the days it is good for."""
    port = int(running.https_url.rpartition(":")[2])
    context = ssl.create_default_context()
    authority = f"{running.container(HTTPS)}:/data/caddy/pki/authorities/local/root.crt"
    packed = subprocess.run(
        ["docker", "cp", authority, "-"], capture_output=True, check=True
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        file = archive.extractfile("root.crt")
        assert file is not None
        context.load_verify_locations(cadata=file.read().decode())
    context.check_hostname = False
    with (
        socket.create_connection(("127.0.0.1", port)) as plain,
        context.wrap_socket(plain, server_hostname=name) as secured,
    ):
        shown: dict[str, Any] = secured.getpeercert() or {}
    names = {value for _, value in shown["subjectAltName"]}
    return names, (ssl.cert_time_to_seconds(shown["notAfter"]) - time.time()) / 86_400


def test_caddy_alone_is_published_beyond_this_machine(running: Stack) -> None:
    def published(service: str) -> set[tuple[str, str]]:
        ports = inspect(running.container(service), ".NetworkSettings.Ports")
        assert isinstance(ports, dict)
        return {(p["HostIp"], p["HostPort"]) for places in ports.values() for p in places or []}

    assert published(SERVICE) == {("127.0.0.1", running.url.rpartition(":")[2])}
    outside = {running.https_url.rpartition(":")[2], running.http_url.rpartition(":")[2]}
    assert {port for address, port in published(HTTPS) if address == "0.0.0.0"} == outside


def test_caddy_has_no_rights(running: Stack) -> None:
    container = running.container(HTTPS)
    assert inspect(container, ".Config.User") == f"{USER}:{USER}"
    host = inspect(container, ".HostConfig")
    assert isinstance(host, dict)
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert not host["CapAdd"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["Memory"] == 256 * 1024 * 1024
    # No process of it can be asked from inside: there is nothing to ask with.
    pid = inspect(container, ".State.Pid")
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        status = dict(line.split(":", 1) for line in file)
    assert set(status["Uid"].split()) == {str(USER)}
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"].strip() == "1"


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/static/style.css", "/v1/identities", "/nowhere", "/v1/verify"]
)
def test_answers_come_through_unchanged(running: Stack, client: httpx.Client, path: str) -> None:
    same = {"X-Request-Id": "one-for-both"}
    direct = httpx.get(f"{running.url}{path}", headers=same, trust_env=False)
    secured = client.get(path, headers=same)
    assert (secured.status_code, secured.content) == (direct.status_code, direct.content)

    def headers(response: httpx.Response) -> dict[str, str]:
        return {k: v for k, v in response.headers.items() if k != "date"}

    assert headers(secured) == headers(direct)
    # The page may use the camera, and nobody was told to stay with HTTPS.
    assert secured.headers["permissions-policy"].startswith("camera=(self)")
    assert "strict-transport-security" not in secured.headers
    assert not {"server", "via"} & set(secured.headers)


@pytest.mark.parametrize("name", ["localhost", None, "cam.example"])
def test_any_name_gets_a_certificate_that_lasts(running: Stack, name: str | None) -> None:
    names, days = certificate(running, name)
    assert names == {"localhost"}
    assert 25 < days <= 30


def test_old_protocols_are_refused(running: Stack) -> None:
    address = running.https_url.removeprefix("https://")
    asked = ["openssl", "s_client", "-connect", address, "-cipher", "ALL:@SECLEVEL=0"]
    for version, accepted in (("tls1", False), ("tls1_1", False), ("tls1_2", True)):
        done = subprocess.run(
            [*asked, f"-{version}"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        assert (done.returncode == 0) is accepted, version


def test_http_leads_to_https(running: Stack) -> None:
    answer = httpx.get(f"{running.http_url}/docs?a=b", trust_env=False)
    assert answer.status_code == 308
    assert answer.headers["location"] == f"{running.https_url}/docs?a=b"
    assert_closed(answer)


def test_what_was_sent_in_the_clear_is_not_sent_on(running: Stack) -> None:
    answer = httpx.post(f"{running.http_url}/v1/verify", trust_env=False)
    assert_problem(answer, 403, "invalid_request")


def test_faces_verify(client: httpx.Client, faces: Faces) -> None:
    images = [("images", (name, faces.read(name))) for name in ("obama.jpg", "obama2.jpg")]
    enrolled = client.post("/v1/enroll", data={"identity": "ada"}, files=images)
    assert enrolled.status_code == 201, enrolled.text
    image = {"image": ("obama3.jpg", faces.read("obama3.jpg"))}
    answer = client.post("/v1/verify", data={"identity": "ada"}, files=image)
    assert answer.json()["verified"] is True, answer.text


def test_a_large_request_passes_and_a_larger_one_does_not(client: httpx.Client) -> None:
    def sent(size: int, chunked: bool) -> httpx.Response:
        body = b" " * size
        content = (body[i : i + 65536] for i in range(0, size, 65536)) if chunked else body
        headers = {"Content-Type": "application/json"}
        return client.post("/v1/verify", content=content, headers=headers)

    for chunked in (False, True):
        # It reached the service, which found no JSON in it.
        assert_problem(sent(LIMIT, chunked), 400, "invalid_request")
        assert_problem(sent(LIMIT + 1, chunked), 413, "request_too_large")


def test_slow_senders_take_no_place(running: Stack, client: httpx.Client) -> None:
    """More of them than the service works on at once, all with a body that does not come."""
    port = int(running.https_url.rpartition(":")[2])
    context = ssl._create_unverified_context()
    begun = (
        b"POST /v1/verify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 100000\r\n\r\n{"
    )
    with ExitStack() as held:
        for _ in range(3 * MOST_IN_FLIGHT):
            plain = held.enter_context(socket.create_connection(("127.0.0.1", port)))
            held.enter_context(context.wrap_socket(plain)).sendall(begun)
        time.sleep(1)
        answer = client.post("/v1/verify", json={"identity": "nobody", "image": "AAAA"})
        assert answer.status_code != 503, answer.text


def test_caddy_says_where_a_request_came_from_and_nobody_else(
    running: Stack, client: httpx.Client
) -> None:
    # The log shows no address; where a request is sent on to tells who was believed.
    claims = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http"}
    through = client.get("/docs/", headers=claims)
    assert through.headers["location"].startswith("https://")
    claims["X-Forwarded-Proto"] = "https"
    beside = httpx.get(f"{running.url}/docs/", headers=claims, trust_env=False)
    assert beside.headers["location"].startswith("http://")
    networks = inspect(running.container(HTTPS), ".NetworkSettings.Networks")
    assert isinstance(networks, dict)
    caddy = {each["IPAddress"] for each in networks.values()}
    assert running.environment["SEMBLANCE_EDGE"] + ".6" in caddy


def test_without_the_service_caddy_answers_as_it_would(running: Stack) -> None:
    """Last: the service is stopped for it."""
    running.compose("stop", SERVICE)
    with to(running) as client:
        answer = client.get("/readyz")
    assert_problem(answer, 503, "not_ready")
    assert answer.headers["retry-after"] == "5"
