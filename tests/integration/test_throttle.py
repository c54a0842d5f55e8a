"""Guessing is slow: verifications in vain are counted, slowed down and locked out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from service.core.ports import Standing
from service.core.throttle import LONGEST_WAIT_S, wait_s
from tests.faces import Faces
from tests.integration.api_client import answer, enrol, problem
from tests.running import running_service

AFTER, LOCK = 2, 4
NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture
def client(tmp_path: Path, faces: Faces) -> Iterator[httpx.Client]:
    with (
        running_service(tmp_path, throttle_after=AFTER, lock_after=LOCK) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        enrol(client, "ada", faces.read("obama.jpg"))
        yield client


def tried(client: httpx.Client, picture: bytes) -> httpx.Response:
    return client.post("/v1/verify", data={"identity": "ada"}, files={"image": picture})


def failures(client: httpx.Client) -> int:
    found: int = answer(client.get("/v1/identities/ada"))["failures"]
    return found


def test_strangers_are_slowed_down_then_locked_out_and_an_administrator_unlocks(
    client: httpx.Client, faces: Faces, tmp_path: Path
) -> None:
    own, stranger = faces.read("obama2.jpg"), faces.read("biden.jpg")
    assert not answer(tried(client, stranger))["verified"]
    # What could not be judged is no guess.
    problem(tried(client, b"no picture"), 422, "undecodable_image")
    assert failures(client) == 1
    # Who is right in between begins anew.
    assert answer(tried(client, own))["verified"]
    assert failures(client) == 0
    for _ in range(AFTER):
        assert not answer(tried(client, stranger))["verified"]
    refused = tried(client, own)
    problem(refused, 429, "too_many_failures")
    assert int(refused.headers["retry-after"]) == 1
    time.sleep(1.05)
    assert not answer(tried(client, stranger))["verified"]
    assert int(tried(client, stranger).headers["retry-after"]) == 2
    time.sleep(2.05)
    assert not answer(tried(client, stranger))["verified"]
    assert failures(client) == LOCK
    problem(tried(client, own), 423, "identity_locked")
    # Neither another process nor a restart begins anew.
    with (
        running_service(tmp_path, throttle_after=AFTER, lock_after=LOCK) as url,
        httpx.Client(base_url=url, timeout=60) as other,
    ):
        problem(tried(other, own), 423, "identity_locked")
        assert other.post("/v1/identities/ada/unlock").status_code == 204
    assert answer(tried(client, own))["verified"]
    problem(client.post("/v1/identities/nobody/unlock"), 404, "unknown_identity")


def test_guesses_at_once_get_no_more_answers_than_one_after_the_other(
    client: httpx.Client, faces: Faces
) -> None:
    stranger = faces.read("biden.jpg")
    with ThreadPoolExecutor(12) as pool:
        found = [one.status_code for one in pool.map(lambda _: tried(client, stranger), range(12))]
    assert found.count(200) <= LOCK
    assert failures(client) <= LOCK
    assert set(found) <= {200, 423, 429}


def test_the_wait_doubles_and_has_an_end() -> None:
    def wait(count: int, since_s: float = 0) -> int:
        return wait_s(Standing(count, NOW - timedelta(seconds=since_s)), 5, NOW)

    assert [wait(count) for count in range(3, 10)] == [0, 0, 1, 2, 4, 8, 16]
    assert wait(40) == wait(10**6) == LONGEST_WAIT_S
    assert [wait(9, since_s) for since_s in (0.5, 15.1, 16, 100)] == [16, 1, 0, 0]
    # A clock that was set back locks nobody out for longer.
    assert wait(9, -1000) == 16
    assert wait_s(Standing(99, NOW), 0, NOW) == 0
    assert wait_s(Standing(99, None), 5, NOW) == 0
