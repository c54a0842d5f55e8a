"""The database is gone, or locked, for a while: 503 with Retry-After, then it goes on by itself."""

from __future__ import annotations

import time

import httpx
import pytest

from tests.faults.client import client_of, enrol, is_verified, verify
from tests.faults.load import Load, check_all
from tests.faults.places import Place
from tests.faults.waiting import wait_until_ready
from tests.integration.api_client import problem


def refused(answer: httpx.Response, code: str) -> None:
    problem(answer, 503, code)
    assert answer.headers["Retry-After"] == "1"


def test_a_database_that_is_gone_for_a_moment(place: Place) -> None:
    gone_for(place, 2)


@pytest.mark.long
def test_a_database_that_is_gone_for_ten_seconds(place: Place) -> None:
    gone_for(place, 10)


def gone_for(place: Place, gone_s: float) -> None:
    with place.service() as service, client_of(service) as client:
        enrol(client, "ada", "obama").raise_for_status()
        load = Load(service, seed=7)
        load.start()
        time.sleep(1)
        with place.gone():
            refused(client.get("/readyz"), "not_ready")
            for answer in (
                verify(client, "ada", "obama"),
                enrol(client, "bob", "biden"),
                client.get("/v1/identities"),
                client.delete("/v1/identities/ada"),
            ):
                refused(answer, "not_ready")
            assert client.get("/healthz").status_code == 200
            time.sleep(gone_s)
            refused(client.get("/readyz"), "not_ready")
        resumed_s = wait_until_ready(client)
        assert is_verified(client, "ada", "obama")
        assert enrol(client, "bob", "biden").status_code == 201
        time.sleep(1)
        ledger = load.end()
        assert ledger.refused
        check_all(client, ledger.people)
    place.assert_whole()
    assert "as it was written" in place.command("audit", "verify")
    print(f"\ngone for {gone_s} s: {ledger.refused} refused, ready after {resumed_s:.2f} s, 0 lost")


def test_a_database_that_another_program_has_locked(place: Place) -> None:
    """What is read goes on; what is written waits for 5 s, is refused, and goes on after."""
    with place.service() as service, client_of(service) as client:
        enrol(client, "ada", "obama").raise_for_status()
        assert is_verified(client, "ada", "obama")
        with place.locked():
            assert is_verified(client, "ada", "obama")
            assert client.get("/readyz").status_code == 200
            refused(enrol(client, "bob", "biden"), "overloaded")
        assert enrol(client, "bob", "biden").status_code == 201
