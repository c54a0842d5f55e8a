"""The service with batches across requests: verdicts, deadlines, and its end."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.faces import Faces
from tests.integration.api_client import answer, enrol, post, problem
from tests.running import Service, running_service, service_process

CALLERS = 32
BATCHED = {"faces_at_once": 4, "pictures_at_once": 4, "workers": CALLERS, "queue_timeout_s": 60}
NAMES = ("obama3.jpg", "biden.jpg", "astronaut.png", "obama2.jpg")


@pytest.fixture(scope="module")
def plain(faces: Faces, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[float]]:
    """The scores of each picture without batches."""
    with running_service(tmp_path_factory.mktemp("plain")) as url, client_of(url) as client:
        enrolled(client, faces)
        return {name: scores(verify(client, faces.read(name))) for name in NAMES}


@pytest.fixture
def service(faces: Faces, tmp_path: Path) -> Iterator[Service]:
    with service_process(tmp_path, **BATCHED) as running:
        with client_of(running.url) as client:
            enrolled(client, faces)
        yield running


def client_of(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=60, limits=httpx.Limits(max_connections=CALLERS))


def enrolled(client: httpx.Client, faces: Faces) -> None:
    enrol(client, "him", faces.read("obama.jpg"), faces.read("obama2.jpg"))


def verify(client: httpx.Client, image: bytes) -> httpx.Response:
    return post(client, "/v1/verify", "multipart", {"image": image}, identity="him")


def scores(response: httpx.Response) -> list[float]:
    return [item["score"] for item in answer(response)["scores"]]


@pytest.mark.long
def test_verdicts_and_scores_are_those_without_batches(
    service: Service, faces: Faces, plain: dict[str, list[float]]
) -> None:
    order = [NAMES[number % len(NAMES)] for number in range(240)]
    pictures = {name: faces.read(name) for name in NAMES}
    with client_of(service.url) as client, ThreadPoolExecutor(CALLERS) as pool:
        found = list(pool.map(lambda name: answer(verify(client, pictures[name])), order))
    for name, content in zip(order, found, strict=True):
        assert content["verified"] is name.startswith("obama")
        given = [item["score"] for item in content["scores"]]
        assert given == pytest.approx(plain[name], abs=1e-3)


def test_whose_time_is_over_gets_503_and_the_next_is_served(faces: Faces, tmp_path: Path) -> None:
    # All are let in at once, so that only the model's queue can be too slow for them.
    settings = BATCHED | {"queue_timeout_s": 0.004, "max_in_flight": CALLERS}
    probe = faces.read("obama3.jpg")
    with running_service(tmp_path, **settings) as url, client_of(url) as client:
        enrolled(client, faces)
        with ThreadPoolExecutor(CALLERS) as pool:
            found = list(pool.map(lambda _: verify(client, probe), range(4 * CALLERS)))
        statuses = Counter(response.status_code for response in found)
        print(statuses)
        assert set(statuses) <= {200, 503}
        refused = [response for response in found if response.status_code == 503]
        by_model = [
            response for response in refused if "with the model" in response.json()["detail"]
        ]
        assert by_model
        for response in by_model:
            problem(response, 503, "overloaded")
            assert response.headers["retry-after"] == "1"
        assert answer(verify(client, probe))["verified"] is True


@pytest.mark.parametrize("after_s", [0.05, pytest.param(0.2, marks=pytest.mark.long)])
def test_it_ends_in_the_midst_of_batches(service: Service, faces: Faces, after_s: float) -> None:
    """Networks are being compiled for batches meanwhile, in threads of their own."""
    probe = faces.read("obama3.jpg")

    def ask(client: httpx.Client) -> int:
        try:
            return verify(client, probe).status_code
        except httpx.TransportError:
            return 0

    with client_of(service.url) as client, ThreadPoolExecutor(CALLERS) as pool:
        asked = [pool.submit(ask, client) for _ in range(2 * CALLERS)]
        time.sleep(after_s)
        service.process.send_signal(signal.SIGTERM)
        # As one who was told to end does; by its own way, without a word.
        assert service.process.wait(60) in (0, -signal.SIGTERM)
        assert {one.result(30) for one in asked} <= {0, 200, 503}
    assert not any("Traceback" in line for line in service.output)
