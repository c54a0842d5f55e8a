"""Three replicas behind Caddy, on one PostgreSQL, as docker/replicas.yml starts them."""

from __future__ import annotations

import secrets
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import psutil
import pytest

from tests.docker.stack import DATABASE, Stack, docker, inspect, stack
from tests.faces import Faces

pytestmark = [pytest.mark.long, pytest.mark.timeout(2400)]

REPLICAS = 3


@pytest.fixture(scope="module")
def running(built: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    first = 20_000 + secrets.randbelow(20_000)
    chosen = {
        "SEMBLANCE_DATABASE_PASSWORD": secrets.token_hex(16),
        "SEMBLANCE_PORT": f"{first}-{first + 9}",
    }
    folder = tmp_path_factory.mktemp("replicas")
    settings = {"SEMBLANCE_THROTTLE_AFTER": "0", "SEMBLANCE_LOCK_AFTER": "0"}
    with stack(
        folder, built, https=True, replicas=True, settings=settings, variables=chosen
    ) as made:
        made.compose("build", DATABASE)
        try:
            begun = time.monotonic()
            made.up("--scale", f"service={REPLICAS}")
            print(f"up, until all are healthy: {time.monotonic() - begun:.1f} s")
            yield made
        finally:
            made.compose("down", "--volumes")
            subprocess.run(["docker", "rmi", made.database_image], capture_output=True, check=False)


def caller(running: Stack, key: dict[str, str]) -> httpx.Client:
    """With connections of its own."""
    return httpx.Client(
        base_url=running.https_url, verify=False, trust_env=False, timeout=30, headers=key
    )


@pytest.fixture(scope="module")
def client(running: Stack) -> Iterator[httpx.Client]:
    with caller(running, running.key) as client:
        deadline = time.monotonic() + 30
        while True:
            try:
                client.get("/readyz").raise_for_status()
                break
            except httpx.HTTPError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        yield client


@contextmanager
def load(running: Stack, probe: bytes, callers: int) -> Iterator[Counter[int]]:
    """Verifies all the while; counts the answers by status."""
    seen: Counter[int] = Counter()
    done = threading.Event()
    # Asked of a container; later one may be gone.
    key = running.key

    def ask() -> None:
        with caller(running, key) as own:
            while not done.is_set():
                seen[verify(own, probe).status_code] += 1

    with ThreadPoolExecutor(callers) as pool:
        asking = [pool.submit(ask) for _ in range(callers)]
        try:
            yield seen
        finally:
            done.set()
        for one in asking:
            one.result()


def verify(client: httpx.Client, probe: bytes) -> httpx.Response:
    return client.post("/v1/verify", data={"identity": "ada"}, files={"image": probe})


def test_all_start_at_once_and_one_database_has_it_all(
    running: Stack, client: httpx.Client, faces: Faces
) -> None:
    assert len(running.containers()) == REPLICAS
    sent = client.post(
        "/v1/enroll", data={"identity": "ada"}, files={"images": faces.read("obama.jpg")}
    )
    assert sent.status_code == 201, sent.text
    asked = "SELECT count(*) FROM face_references"
    password = running.environment["SEMBLANCE_DATABASE_PASSWORD"]
    client_of_it = ("psql", "-h", "/tmp", "-U", "semblance", "-tAc", asked, "semblance")
    counted = docker(
        "exec", "-e", f"PGPASSWORD={password}", running.container(DATABASE), *client_of_it
    )
    assert counted.strip() == "1"


def test_every_replica_answers(running: Stack, client: httpx.Client, faces: Faces) -> None:
    before = [cpu_seconds(one) for one in running.containers()]
    with load(running, faces.read("obama3.jpg"), callers=6) as seen:
        time.sleep(12)
    used = [cpu_seconds(one) - then for one, then in zip(running.containers(), before, strict=True)]
    print(f"answers {dict(seen)}, CPU seconds of each {[round(one, 1) for one in used]}")
    assert set(seen) == {200}
    # Each has had its share of the work.
    assert min(used) > max(used) / 3, used


def cpu_seconds(container: str) -> float:
    # The first process hands signals on; the service is its child.
    first = psutil.Process(int(str(inspect(container, ".State.Pid"))))
    return sum(sum(one.cpu_times()[:2]) for one in first.children(recursive=True))


@pytest.mark.parametrize("how", ["stop", "kill"])
def test_a_replica_that_goes_is_not_noticed(
    running: Stack, client: httpx.Client, faces: Faces, how: str
) -> None:
    """Stopped: every request is answered. Killed: those it was at work on are lost, no other."""
    with load(running, faces.read("obama3.jpg"), callers=4) as seen:
        time.sleep(1)
        docker(how, running.containers()[0])
        time.sleep(3)
    print(f"{how}: {dict(seen)}")
    assert seen[200] > 20
    assert sum(seen.values()) - seen[200] <= (0 if how == "stop" else 4), seen
    assert seen[200] + seen[502] + seen[503] == sum(seen.values())
    running.compose("up", "--detach", "--no-build", "--scale", f"service={REPLICAS}")
    running.wait_until_healthy()


def test_the_database_goes_and_comes_back(
    running: Stack, client: httpx.Client, faces: Faces
) -> None:
    probe = faces.read("obama3.jpg")
    docker("kill", running.container(DATABASE))
    time.sleep(1.5)  # keys are remembered for a second
    refused = verify(client, probe)
    assert refused.status_code == 503
    assert refused.json()["code"] == "not_ready"
    assert int(refused.headers["retry-after"]) >= 1
    running.compose("up", "--detach", "--no-build", "--scale", f"service={REPLICAS}")
    begun = time.monotonic()
    while verify(client, probe).status_code != 200:
        assert time.monotonic() - begun < 60
        time.sleep(0.2)
    print(f"resumed {time.monotonic() - begun:.1f} s after the database was started")


def test_nothing_has_rights_and_the_database_is_out_of_reach(running: Stack) -> None:
    host = inspect(running.container(DATABASE), ".HostConfig")
    assert isinstance(host, dict)
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert inspect(running.container(DATABASE), ".Config.User") == "10003:10003"
    ports = inspect(running.container(DATABASE), ".NetworkSettings.Ports")
    assert isinstance(ports, dict)
    assert not any(ports.values())
