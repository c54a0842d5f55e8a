"""kill -9 under load: what was answered is there, nothing is half there, the log is whole."""

from __future__ import annotations

import json
import random
import time
from collections import Counter

import pytest

from tests.faults.client import client_of
from tests.faults.load import Ledger, Load, check_all
from tests.faults.places import Place
from tests.faults.waiting import wait_until
from tests.running import Service

SEED = 20261126
LONGEST_LIFE_S = 1.5
"""After the first enrolment was answered, so that a slow machine shows something, too."""
LOOKED_AT_AGAIN = 20


def test_a_killed_service_loses_nothing_it_has_answered(place: Place) -> None:
    killed_again_and_again(place, rounds=2)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_hundred_killed_services_lose_nothing_they_have_answered(place: Place) -> None:
    killed_again_and_again(place, rounds=100)


def killed_again_and_again(place: Place, rounds: int) -> None:
    chance = random.Random(SEED)
    ledgers: list[Ledger] = []
    for turn in range(rounds):
        with place.service() as service:
            check_some(service, ledgers, chance)
            ledgers.append(killed_under_load(service, turn, chance))
        if turn % 2:
            place.power_cut()
        place.assert_whole()
        assert "as it was written" in place.command("audit", "verify")
        if turn % 10 == 9:
            enrolments = sum(ledger.enrolments for ledger in ledgers)
            print(f"\n{turn + 1} kills, {enrolments} enrolments", end="", flush=True)
    with place.service() as service, client_of(service) as client:
        check_all(client, [one for ledger in ledgers for one in ledger.people])
        # Nor is a key left over of somebody who is not there.
        place.assert_rows_fit()
        owners, keys = (
            place.asked("SELECT count(*) FROM identities"),
            place.asked_of_keys("SELECT count(*) FROM data_keys"),
        )
        assert owners == keys
    lines = place.command("audit", "export").splitlines()
    on_record = Counter(json.loads(line)["request_id"] for line in lines)
    answered = [request for ledger in ledgers for request in ledger.requests]
    assert [request for request in answered if on_record[request] != 1] == []
    counts = {
        name: sum(getattr(ledger, name) for ledger in ledgers)
        for name in ("enrolments", "deletions", "verifications", "refused")
    }
    assert counts["enrolments"] >= rounds
    print(f"\n{rounds} kills; answered: {counts}; lost: 0; {len(on_record)} rows of the log whole")


def check_some(service: Service, ledgers: list[Ledger], chance: random.Random) -> None:
    """All of the latest round, some of those before."""
    before = [one for ledger in ledgers[:-1] for one in ledger.people]
    latest = ledgers[-1].people if ledgers else []
    with client_of(service) as client:
        check_all(client, latest)
        check_all(client, chance.sample(before, min(LOOKED_AT_AGAIN, len(before))), faces=False)


def killed_under_load(service: Service, turn: int, chance: random.Random) -> Ledger:
    load = Load(service, seed=SEED + 10 * turn, name=f"round-{turn}")
    load.start()
    wait_until(lambda: load.ledger.enrolments > 0, 60)
    time.sleep(chance.uniform(0, LONGEST_LIFE_S))
    service.process.kill()
    service.process.wait()
    return load.end()
