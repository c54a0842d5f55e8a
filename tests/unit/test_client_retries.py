"""What is tried again, when, and what never is: against a server that says no."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest

from semblance_client import AsyncClient, Client, Problem, Retries, UnexpectedAnswer, Unreachable
from tests.scripted_server import HANG_UP, scripted_server

HEALTHY: tuple[int, dict[str, str], dict[str, str]] = (200, {}, {"status": "ok"})
QUICK = Retries(attempts=3, first_wait_s=0.01)
Call = Callable[[Client], Any]


def problem(status: int, code: str, **headers: str) -> tuple[int, dict[str, str], dict[str, Any]]:
    content = {"code": code, "title": code, "status": status, "detail": "...", "instance": "id"}
    return status, {name.replace("_", "-"): value for name, value in headers.items()}, content


def enrol(client: Client) -> Any:
    return client.enroll("ada", [b"picture"])


def verify(client: Client) -> Any:
    return client.verify("ada", b"picture")


def delete(client: Client) -> Any:
    return client.delete_identity("ada")


ENROLLED = {"identity": "ada", "references": 1, "accepted": [], "rejected": []}
ENROLLED |= {"conflicts": [], "others_searched": False}
ENROLLED |= {"model": {"name": "m", "version": "1", "fingerprint": "f"}}


def test_a_lost_answer_to_an_enrolment_is_asked_for_again_with_the_same_pictures() -> None:
    with (
        scripted_server(HANG_UP, (201, {}, ENROLLED)) as server,
        Client(server.url, retries=QUICK) as client,
    ):
        assert client.enroll("ada", [b"one", b"two"]).references == 1
    first, second = server.asked
    assert first[:2] == second[:2] == ("POST", "/v1/enroll")
    for _, _, body in server.asked:
        assert b"one" in body
        assert b"two" in body


@pytest.mark.parametrize("call", [verify, delete])
def test_what_may_have_been_done_is_not_asked_for_again(call: Call) -> None:
    with scripted_server(HANG_UP) as server, Client(server.url, retries=QUICK) as client:
        with pytest.raises(Unreachable):
            call(client)
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("call", "status", "code", "times"),
    [
        (enrol, 503, "overloaded", 3),
        (enrol, 429, "rate_limited", 3),
        (enrol, 502, "bad_gateway", 3),
        (enrol, 422, "no_face", 1),
        (enrol, 500, "internal_error", 1),
        (verify, 503, "overloaded", 3),
        (verify, 429, "too_many_failures", 3),
        (verify, 502, "bad_gateway", 1),
        (delete, 429, "rate_limited", 3),
        (delete, 503, "overloaded", 1),
    ],
)
def test_what_was_refused_is_tried_again_where_that_is_safe(
    call: Call, status: int, code: str, times: int
) -> None:
    with (
        scripted_server(problem(status, code)) as server,
        Client(server.url, retries=QUICK) as client,
    ):
        with pytest.raises(Problem) as raised:
            call(client)
        assert len(server.asked) == times
    assert (raised.value.status, raised.value.code) == (status, code)
    assert raised.value.request_id == "id"


def test_retry_after_is_obeyed() -> None:
    with (
        scripted_server(problem(503, "overloaded", Retry_After="1"), HEALTHY) as server,
        Client(server.url, retries=QUICK) as client,
    ):
        begun = time.monotonic()
        assert client.readyz().status == "ok"
        assert 1.0 <= time.monotonic() - begun < 3.0


def test_who_is_told_to_wait_too_long_is_told_at_once() -> None:
    with (
        scripted_server(problem(429, "rate_limited", Retry_After="86400")) as server,
        Client(server.url, retries=QUICK) as client,
    ):
        begun = time.monotonic()
        with pytest.raises(Problem) as raised:
            client.readyz()
        assert time.monotonic() - begun < 1.0
        assert len(server.asked) == 1
    assert raised.value.retry_after_s == 86400


def test_a_service_that_is_not_there_yet_is_waited_for_by_every_call() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        # Bound, and not listening: whoever connects is refused.
        with Client(address, retries=Retries(attempts=3, first_wait_s=0.1)) as client:
            begun = time.monotonic()
            with pytest.raises(Unreachable):
                delete(client)
            assert time.monotonic() - begun >= 0.3


def test_a_page_of_a_proxy_is_no_problem_of_the_service() -> None:
    with (
        scripted_server((404, {}, b"<html>nothing here</html>")) as server,
        Client(server.url, retries=QUICK) as client,
        pytest.raises(UnexpectedAnswer) as raised,
    ):
        client.healthz()
    assert "html" not in str(raised.value)


def test_an_answer_of_something_else_is_said_to_be_so() -> None:
    with (
        scripted_server((200, {}, {"hello": "world"})) as server,
        Client(server.url, retries=QUICK) as client,
        pytest.raises(UnexpectedAnswer),
    ):
        client.healthz()


def test_a_newer_service_may_say_more() -> None:
    with (
        scripted_server((200, {}, {"status": "ok", "mood": "good"})) as server,
        Client(server.url) as client,
    ):
        assert client.healthz().model_dump() == {"status": "ok"}


def test_the_asynchronous_client_waits_likewise() -> None:
    async def ask(url: str) -> None:
        async with AsyncClient(url, retries=QUICK) as client:
            assert (await client.enroll("ada", [b"picture"])).references == 1
            with pytest.raises(Unreachable):
                await client.verify("ada", b"picture")

    with scripted_server(
        problem(503, "overloaded"), HANG_UP, (201, {}, ENROLLED), HANG_UP
    ) as server:
        asyncio.run(ask(server.url))
        assert [path for _, path, _ in server.asked] == ["/v1/enroll"] * 3 + ["/v1/verify"]


def test_names_are_quoted_and_keys_are_in_a_header() -> None:
    with (
        scripted_server(problem(404, "unknown_identity")) as server,
        Client(server.url, key="smb_secret", retries=QUICK) as client,
        pytest.raises(Problem),
    ):
        client.get_identity("ada/../b?c")
    ((_, path, _),) = server.asked
    assert path == "/v1/identities/ada%2F..%2Fb%3Fc"


def test_one_picture_is_given_as_a_list_too() -> None:
    with Client("http://127.0.0.1:1") as client, pytest.raises(TypeError, match="list"):
        client.enroll("ada", "ada.jpg")
