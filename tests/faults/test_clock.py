"""The clock is set back, and forward, under a running service."""

from __future__ import annotations

import json
import sys
import time
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from tests.faults.client import client_of, enrol, is_verified, reference_ids, verify
from tests.faults.clock import Clock
from tests.faults.places import Place
from tests.faults.waiting import wait_until
from tests.integration.api_client import problem

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs libfaketime")

HOUR_S = 3600
YEAR_S = 365 * 24 * HOUR_S
REMEMBERED_S = 1.1
"""For so long a key is taken for what it was."""


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path)


def new_key(files: Place, *more: str) -> str:
    return files.command("keys", "create", "--scope", "verify", *more).strip()


@pytest.mark.long
def test_verdicts_limits_and_the_log_do_not_hang_on_the_clock(files: Place, clock: Clock) -> None:
    with files.service(clock.around, throttle_after=2) as service, client_of(service) as client:
        enrol(client, "ada", "obama").raise_for_status()
        short, few = new_key(files, "--expires", "1h"), new_key(files, "--rate", "3")
        daily = new_key(files, "--quota", "3")
        with (
            client_of(service, short) as expiring,
            client_of(service, few) as rated,
            client_of(service, daily) as counted,
        ):
            use_up(rated)
            use_up(counted)
            refused = rated.get("/v1/model")
            for offset_s in (-YEAR_S, YEAR_S, 0):
                clock.set(offset_s)
                time.sleep(REMEMBERED_S)
                assert is_verified(client, "ada", "obama")
                assert not verify(client, "ada", "biden").json()["verified"]
                assert enrol(client, f"at {offset_s}", "astronaut").status_code == 201
                # A key is good for as long as the clock says.
                found = expiring.get("/v1/model")
                assert found.status_code == (401 if offset_s > HOUR_S else 200)
            # A rate is by a clock that nobody sets, a quota by the day that it is.
            again = rated.get("/v1/model")
            for answer in (refused, again):
                problem(answer, 429, "rate_limited")
            assert int(again.headers["Retry-After"]) <= int(refused.headers["Retry-After"])
            problem(counted.get("/v1/model"), 429, "rate_limited")
    assert "as it was written" in files.command("audit", "verify")
    rows = [json.loads(line) for line in files.command("audit", "export").splitlines()]
    times = [row["at"] for row in rows]
    assert any(later < earlier for earlier, later in pairwise(times))  # so it was set back
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))
    files.assert_whole()


def use_up(client: httpx.Client) -> None:
    for _ in range(3):
        assert client.get("/v1/model").status_code == 200


def test_a_clock_that_is_set_back_locks_nobody_out(files: Place, clock: Clock) -> None:
    """Failures an hour ahead of the clock: the back-off is waited for, not the hour."""
    clock.set(HOUR_S)
    with files.service(clock.around, throttle_after=2) as service, client_of(service) as client:
        enrol(client, "ada", "obama").raise_for_status()
        for _ in range(2):
            assert not verify(client, "ada", "biden").json()["verified"]
        clock.set(0)
        refused = verify(client, "ada", "obama")
        problem(refused, 429, "too_many_failures")
        wait_s = int(refused.headers["Retry-After"])
        assert wait_s == 1
        time.sleep(wait_s)
        assert is_verified(client, "ada", "obama")


@pytest.mark.long
def test_nobody_is_erased_by_a_clock_that_is_set_forward(files: Place, clock: Clock) -> None:
    settings: dict[str, int] = {"retention_days": 30}
    with files.service(clock.around, **settings) as service, client_of(service) as client:
        enrol(client, "ada", "obama").raise_for_status()
        clock.set(YEAR_S)
        wait_until(lambda: any("the clock was set by +3" in line for line in service.output), 90)
        time.sleep(3)  # in which it would erase
        assert is_verified(client, "ada", "obama")
    # When it is a year later indeed, the time is over.
    with files.service(clock.around, **settings) as service, client_of(service) as client:
        assert is_verified(client, "ada", "obama")
        wait_until(lambda: reference_ids(client, "ada") is None, 90)
