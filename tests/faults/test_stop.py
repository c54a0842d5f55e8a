"""SIGTERM: what is in flight is answered within the deadline, what is new is refused."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from bench.speed.http_bytes import post_form
from tests.faults.client import client_of, enrol, is_verified, picture, reference_ids
from tests.faults.load import Load, check_all
from tests.faults.places import AUDIT, DATABASE, Place
from tests.integration.hostile import connected, hear
from tests.running import Service

DEADLINE_S = 10.0
CLOSE_S = 4.0
"""For what is written and ended after the last answer."""


def form(service: Service, path: str, identity: str, field: str, number: int) -> bytes:
    files = [(field, picture("obama", number))]
    return post_form(path, service.key, {"identity": identity}, files)


@contextmanager
def half_sent(service: Service, request: bytes) -> Iterator[tuple[socket.socket, bytes]]:
    """A connection over which half a request has come; and the other half."""
    with connected(service.url) as connection:
        half = len(request) // 2
        connection.sendall(request[:half])
        time.sleep(0.3)  # so that it is at work on it
        yield connection, request[half:]


def ended(service: Service) -> tuple[int, float]:
    """Exit status, and seconds until it was there."""
    begun = time.monotonic()
    status = service.process.wait(60)
    return status, time.monotonic() - begun


def test_what_is_in_flight_is_answered_and_what_is_new_is_refused(files: Place) -> None:
    with files.service() as service, client_of(service) as client:
        enrol(client, "ada", "obama").raise_for_status()
        slow = form(service, "/v1/enroll", "bob", "images", 1)
        with (
            half_sent(service, slow) as (enrolling, rest),
            half_sent(service, form(service, "/v1/verify", "ada", "image", 1)) as (asking, more),
        ):
            service.process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            with pytest.raises(httpx.TransportError):
                client_of(service).get("/healthz")
            asking.sendall(more)
            verified = hear(asking)
            assert verified.statuses == [200]
            assert b'"verified":true' in verified.said
            time.sleep(2)  # the slow one takes its time
            enrolling.sendall(rest)
            assert hear(enrolling).statuses == [201]
        status, spent_s = ended(service)
    assert status == 0
    assert spent_s < CLOSE_S
    assert service.output[1:] == []
    rows = [json.loads(line) for line in files.command("audit", "export").splitlines()]
    done = [(row["action"], row["outcome"]) for row in rows]
    assert done[-3:-1] == [("verify", "verified"), ("enroll", "ok")]  # then the export itself
    with files.service() as service, client_of(service) as client:
        assert len(reference_ids(client, "bob") or ()) == 1
        assert is_verified(client, "bob", "obama")


@pytest.mark.long
def test_a_request_that_hangs_does_not_keep_it(files: Place) -> None:
    with files.service() as service, client_of(service) as client:
        enrol(client, "ada", "obama").raise_for_status()
        with half_sent(service, form(service, "/v1/enroll", "bob", "images", 1)) as (hanging, _):
            service.process.send_signal(signal.SIGTERM)
            status, spent_s = ended(service)
            assert hear(hanging).closed
    assert status == 0
    assert DEADLINE_S - 1 < spent_s < DEADLINE_S + CLOSE_S
    assert not any("Traceback" in line for line in service.output), service.output
    files.assert_whole()


@pytest.mark.long
def test_a_thread_that_hangs_does_not_keep_it_either(files: Place) -> None:
    """Both databases are locked: the request waits for one after the other, so does the end."""
    with files.service() as service, client_of(service) as client:
        enrol(client, "ada", "obama").raise_for_status()
        with files.locked(DATABASE), files.locked(AUDIT), connected(service.url) as waiting:
            waiting.sendall(form(service, "/v1/enroll", "bob", "images", 1))
            time.sleep(0.3)
            service.process.send_signal(signal.SIGTERM)
            status, spent_s = ended(service)
    assert spent_s < DEADLINE_S + CLOSE_S + 1
    assert status == 1
    assert not any("Traceback" in line for line in service.output), service.output
    files.assert_whole()
    with files.service() as service, client_of(service) as client:
        assert is_verified(client, "ada", "obama")


@pytest.mark.long
def test_under_load_every_answer_is_true(files: Place) -> None:
    with files.service() as service:
        load = Load(service, seed=1, clients=4)
        load.start()
        time.sleep(2)
        service.process.send_signal(signal.SIGTERM)
        status, spent_s = ended(service)
        ledger = load.end()
    assert status == 0
    assert spent_s < DEADLINE_S
    files.assert_whole()
    assert "as it was written" in files.command("audit", "verify")
    on_record = {
        json.loads(line)["request_id"] for line in files.command("audit", "export").splitlines()
    }
    assert set(ledger.requests) <= on_record
    with files.service() as service, client_of(service) as client:
        check_all(client, ledger.people)
    # It answered what it had begun: nobody was left in doubt.
    assert not any(one.adding or one.removing or one.leaving for one in ledger.people)
