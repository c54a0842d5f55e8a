"""Caddy by itself: for a domain, with a WebSocket, and what it logs."""

from __future__ import annotations

import ssl
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest
from websockets.sync.client import connect

from tests.docker.answers import assert_problem
from tests.docker.stack import docker
from tests.running import ROOT

pytestmark = [pytest.mark.long, pytest.mark.timeout(2400)]

DOMAIN = "face.example.org"
SELF_SIGNED = '"identifier":"localhost","issuer":"local"'


@contextmanager
def caddy(built: str, *options: str, config: str | None = None) -> Iterator[str]:
    """Caddy alone, for a domain; its container's name."""
    name = f"semblance-caddy-{uuid.uuid4().hex[:8]}"
    command = ["docker", "run", "--interactive", "--name", name, *options]
    command += ["--env", f"SEMBLANCE_DOMAIN={DOMAIN}", f"semblance-https:{built}"]
    if config is not None:
        command += ["/bin/caddy", "run", "--adapter", "caddyfile", "--config", "-"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        assert process.stdin is not None
        process.stdin.write((config or "").encode())
        process.stdin.close()
        yield name
    finally:
        # Not there when it did not start.
        subprocess.run(
            ["docker", "rm", "--force", "--volumes", name], capture_output=True, check=False
        )
        process.wait(30)


def eventually(what: Callable[[], bool]) -> bool:
    for _ in range(100):
        if what():
            return True
        time.sleep(0.2)
    return False


def logs(container: str) -> str:
    return subprocess.run(
        ["docker", "logs", container], capture_output=True, text=True, check=False
    ).stderr


def test_for_a_domain_the_certificate_is_asked_for_by_acme(built: str) -> None:
    # Without a network, so that nobody is asked in earnest.
    with caddy(built, "--network", "none") as container:
        asked = (f'"identifier":"{DOMAIN}","issuer":"acme-', "could not get certificate")
        assert eventually(lambda: all(part in logs(container) for part in asked))
        assert SELF_SIGNED in logs(container)


def test_for_a_domain_browsers_are_told_to_stay_with_https(built: str) -> None:
    # With Caddy's own authority in place of one that asks who owns the domain.
    config = (ROOT / "docker" / "Caddyfile").read_text().replace("{\n", "{\n\tlocal_certs\n", 1)
    with caddy(built, "--publish", "127.0.0.1::8443", config=config) as container:
        assert eventually(lambda: f'"identifier":"{DOMAIN}","issuer":"local"' in logs(container))
        url = f"https://{docker('port', container, '8443').strip()}/"
        with httpx.Client(verify=False, trust_env=False, timeout=30) as client:

            def told(name: str) -> str | None:
                # No service is there: the answer is Caddy's own, once it has looked for 5 s.
                answer = client.get(url, headers={"Host": name}, extensions={"sni_hostname": name})
                assert_problem(answer, 503, "not_ready")
                policy: str | None = answer.headers.get("strict-transport-security")
                return policy

            assert told(DOMAIN) == "max-age=31536000"
            assert told("localhost") is None
            assert told("other.example.org") is None


# Sends back what it is sent, and who is said to have sent it.
ECHO = """
import uvicorn
async def app(scope, receive, send):
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    said = dict(scope["headers"])
    while (message := await receive())["type"] == "websocket.receive":
        answer = message["bytes"] + said[b"x-forwarded-proto"]
        await send({"type": "websocket.send", "bytes": answer})
uvicorn.run(app, host="0.0.0.0", port=8000, lifespan="off", ws_max_size=1 << 24)
"""


def test_a_websocket_passes(built: str) -> None:
    network = docker("network", "create", f"semblance-{uuid.uuid4().hex[:8]}").strip()
    joined = ("--network", network)
    echo = docker(
        "run", "--detach", *joined, "--network-alias", "service",
        f"semblance:{built}", "python", "-c", ECHO,
    ).strip()  # fmt: skip
    try:
        with caddy(built, *joined, "--publish", "127.0.0.1::8443") as container:
            assert eventually(
                lambda: '"identifier":"localhost","issuer":"local"' in logs(container)
            )
            assert eventually(lambda: "Uvicorn running" in logs(echo))
            url = f"wss://{docker('port', container, '8443').strip()}/anything"
            context = ssl._create_unverified_context()
            with connect(url, ssl=context, proxy=None, max_size=1 << 24) as websocket:
                for frame in (b"small", b"x" * 3_000_000):
                    websocket.send(frame)
                    assert websocket.recv(timeout=20) == frame + b"https"
    finally:
        docker("rm", "--force", "--volumes", echo)
        docker("network", "rm", network)


def test_no_key_and_no_identity_is_logged(built: str) -> None:
    # With the log of each request, which an operator may ask for when something is amiss.
    config = (
        (ROOT / "docker" / "Caddyfile").read_text().replace("(service) {", "(service) {\n\tlog")
    )
    with caddy(built, "--publish", "127.0.0.1::8443", config=config) as container:
        assert eventually(lambda: SELF_SIGNED in logs(container))
        url = f"https://{docker('port', container, '8443').strip()}/v1/identities/NAMED-PERSON"
        keys = {"X-API-Key": "KEY-IN-HEADER", "Authorization": "Bearer KEY-IN-BEARER"}
        # No service is there, and Caddy looks for one for 5 s.
        httpx.get(url, headers=keys, verify=False, trust_env=False, timeout=30)
        assert eventually(lambda: "handled request" in logs(container))
        said = logs(container)
    for secret in ("NAMED-PERSON", "KEY-IN-HEADER", "KEY-IN-BEARER"):
        assert secret not in said
