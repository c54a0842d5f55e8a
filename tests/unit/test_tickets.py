"""Sessions and tokens: for whom they are made, as long as they count, once."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from service.core.core import Core
from service.core.errors import (
    LivenessExpired,
    LivenessUsed,
    MissingLiveness,
    SessionExpired,
    SessionUsed,
    WrongLiveness,
)
from service.core.liveness.proof import proof_of
from service.core.liveness.tickets import Holder, Tickets
from service.security.vault import AesDataKey
from service.storage.spent import MemorySpent

KEY = AesDataKey(bytes(32))
ME = Holder("0123456789abcdef", "default")
OTHERS = [Holder("f" * 16, "default"), Holder(ME.key_id, "shop"), Holder("", "default")]
FACE = np.linspace(-0.1, 0.1, 256).astype(np.float32)


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2030, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tickets(clock: Clock) -> Tickets:
    return Tickets(KEY, MemorySpent(), 60, clock)


def test_a_session_is_begun_once_by_who_asked_for_it(tickets: Tickets, clock: Clock) -> None:
    made = tickets.new_session(ME, "ada")
    assert made.expires_at == clock.now + timedelta(seconds=60)
    for other in OTHERS:
        with pytest.raises(WrongLiveness):
            tickets.begin(made.text, other)
    assert tickets.begin(made.text, ME) == "ada"
    with pytest.raises(SessionUsed):
        tickets.begin(made.text, ME)


def test_a_session_has_its_time(tickets: Tickets, clock: Clock) -> None:
    made = tickets.new_session(ME, "ada")
    clock.now += timedelta(seconds=60)
    with pytest.raises(SessionExpired):
        tickets.begin(made.text, ME)


def test_a_token_holds_who_was_live(tickets: Tickets) -> None:
    made = tickets.new_token(ME, "ada", "model 1", FACE)
    found = tickets.open(made.text, ME, "ada")
    assert (found.fingerprint, found.expires_at) == ("model 1", made.expires_at)
    assert found.embedding.dtype == np.float32
    assert np.abs(found.embedding - FACE).max() < 1e-4
    # In the first message of a stream there is room for it.
    assert len(made.text) < 1200


def test_a_token_is_for_one_key_and_identity(tickets: Tickets) -> None:
    made = tickets.new_token(ME, "ada", "model 1", FACE)
    for holder, identity in [*((other, "ada") for other in OTHERS), (ME, "eve"), (ME, "")]:
        with pytest.raises(WrongLiveness):
            tickets.open(made.text, holder, identity)


def test_a_token_counts_once_also_at_another_replica(tickets: Tickets, clock: Clock) -> None:
    spent = MemorySpent()
    one, other = Tickets(KEY, spent, 60, clock), Tickets(KEY, spent, 60, clock)
    made = one.new_token(ME, "ada", "model 1", FACE)
    one.spend(one.open(made.text, ME, "ada"))
    for replica in (one, other):
        with pytest.raises(LivenessUsed):
            replica.spend(replica.open(made.text, ME, "ada"))
    clock.now += timedelta(seconds=59)
    with pytest.raises(LivenessUsed):
        other.spend(other.open(made.text, ME, "ada"))


def test_a_token_has_its_time_and_is_on_the_list_for_longer(clock: Clock) -> None:
    spent = MemorySpent()
    tickets = Tickets(KEY, spent, 60, clock)
    made = tickets.new_token(ME, "ada", "model 1", FACE)
    tickets.spend(tickets.open(made.text, ME, "ada"))
    clock.now += timedelta(seconds=60)
    with pytest.raises(LivenessExpired):
        tickets.open(made.text, ME, "ada")
    clock.now += timedelta(hours=23)
    assert tickets.forget_old() == 0
    # A clock that is set back brings nothing back.
    clock.now -= timedelta(hours=23, seconds=30)
    with pytest.raises(LivenessUsed):
        tickets.spend(tickets.open(made.text, ME, "ada"))
    clock.now += timedelta(days=2)
    assert tickets.forget_old() == 1


def test_a_session_is_no_token_and_the_reverse(tickets: Tickets) -> None:
    with pytest.raises(WrongLiveness):
        tickets.open(tickets.new_session(ME, "ada").text, ME, "ada")
    with pytest.raises(WrongLiveness):
        tickets.begin(tickets.new_token(ME, "ada", "model 1", FACE).text, ME)


@pytest.mark.parametrize(
    "text", ["", "x", "AAAA", "\u00e9" * 20, "=" * 8, "A" * 100_000, "AQ" * 40, " "]
)
def test_what_is_no_ticket(tickets: Tickets, text: str) -> None:
    with pytest.raises(WrongLiveness):
        tickets.begin(text, ME)
    with pytest.raises(WrongLiveness):
        tickets.open(text, ME, "ada")


def test_a_ticket_of_which_a_bit_was_changed(tickets: Tickets) -> None:
    sealed = base64.urlsafe_b64decode(tickets.new_token(ME, "ada", "model 1", FACE).text)
    for place in range(0, len(sealed), 23):
        changed = bytearray(sealed)
        changed[place] ^= 1 << place % 8
        with pytest.raises(WrongLiveness):
            tickets.open(base64.urlsafe_b64encode(changed).decode(), ME, "ada")


def test_a_ticket_under_another_key(tickets: Tickets) -> None:
    other = Tickets(AesDataKey(bytes(31) + b"1"), MemorySpent(), 60)
    with pytest.raises(WrongLiveness):
        other.open(tickets.new_token(ME, "ada", "model 1", FACE).text, ME, "ada")


def test_a_proof_is_of_one_model_and_another_does_not_use_it_up(tickets: Tickets) -> None:
    """Also in the middle of a stream: embeddings of two models cannot be compared."""
    text = tickets.new_token(ME, "ada", "model 1", FACE).text
    proof = proof_of(tickets, ME, "ada", text, required=True)
    assert proof is not None
    other, same = (cast(Core, SimpleNamespace(fingerprint=name)) for name in ("model 2", "model 1"))
    with pytest.raises(WrongLiveness):
        proof.use(other)
    proof.use(same)
    with pytest.raises(WrongLiveness):
        proof.is_of(other, FACE)
    with pytest.raises(LivenessUsed):
        proof.use(same)


def test_a_proof_is_demanded_or_not_and_what_is_given_is_always_looked_at(
    tickets: Tickets,
) -> None:
    assert proof_of(tickets, ME, "ada", None, required=False) is None
    with pytest.raises(MissingLiveness):
        proof_of(tickets, ME, "ada", None, required=True)
    for required in (False, True):
        with pytest.raises(WrongLiveness):
            proof_of(tickets, ME, "ada", "", required=required)
        text = tickets.new_token(ME, "ada", "model 1", FACE).text
        assert proof_of(tickets, ME, "ada", text, required=required) is not None
