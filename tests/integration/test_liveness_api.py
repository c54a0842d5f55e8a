"""Liveness over the network: sessions, the stream, and tokens in verifications."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from model.artifact import Artifact
from model.faces import Detector
from model.types import Array
from service.core.liveness.tickets import Holder, Tickets
from service.core.perceive import perceive
from service.core.stopwatch import Stopwatch
from service.opening import opened, tickets_of
from service.settings import Settings
from tests.faces import Faces
from tests.head_motion import Follower, Head, Photograph, Stance, jpeg, portrait
from tests.integration.api_client import answer, enrol, post, problem
from tests.integration.commands import audit_rows, new_key
from tests.live_client import Json, begin, follow, numbered
from tests.live_client import opened as stream_opened
from tests.live_session import core_of
from tests.running import Service, service_process

HIM, HIM_TODAY, ANOTHER = "obama.jpg", "obama3.jpg", "biden.jpg"


@dataclass(frozen=True)
class Guarded:
    """A service that asks for keys.

    Attributes:
        keys: Of the scope verify: two of them, and one of another collection.
    """

    service: Service
    data_dir: Path
    keys: tuple[str, str, str]

    def http(self, key: str | None = None) -> httpx.Client:
        headers = {"X-API-Key": key or self.service.key}
        return httpx.Client(base_url=self.service.url, headers=headers, timeout=60)

    def audit(self, identity: str) -> list[Json]:
        return audit_rows(self.data_dir, "--identity", identity)

    def tickets(self, valid_s: float = 60) -> Iterator[Tickets]:
        """As another process on the same data has them."""
        chosen: dict[str, Any] = {"data_dir": self.data_dir, "liveness_valid_s": valid_s}
        settings = Settings.model_validate(chosen)
        with closing(opened(settings)) as found:
            yield tickets_of(settings, found)


@dataclass(frozen=True)
class Minted:
    """Tokens as a replica makes them when somebody was live."""

    tickets: Tickets
    fingerprint: str
    faces: dict[str, Array]

    def token(
        self, key: str, name: str = HIM_TODAY, identity: str = "ada", fingerprint: str | None = None
    ) -> str:
        holder = Holder(key.split("_")[1] if key else "", "default")
        made = self.tickets.new_token(
            holder, identity, fingerprint or self.fingerprint, self.faces[name]
        )
        return made.text


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, faces: Faces) -> Iterator[Guarded]:
    data_dir = tmp_path_factory.mktemp("data")
    with service_process(data_dir, insecure=False, throttle_after=100) as service:
        keys = (
            *(new_key(data_dir, "verify") for _ in range(2)),
            new_key(data_dir, "verify", "--collection", "shop"),
        )
        found = Guarded(service, data_dir, keys)  # type: ignore[arg-type]
        with found.http() as client:
            enrol(client, "ada", faces.read(HIM), faces.read("obama2.jpg"))
            enrol(client, "joe", faces.read(ANOTHER))
        yield found


@pytest.fixture(scope="module")
def minted(guarded: Guarded, artifact: Artifact, faces: Faces) -> Iterator[Minted]:
    core = core_of(artifact)
    embeddings = {}
    for name in (HIM_TODAY, ANOTHER):
        chip = perceive(core, faces.read(name), "largest", Stopwatch()).chip
        embeddings[name] = core.model.embed(chip[None])[0]
    for tickets in guarded.tickets():
        yield Minted(tickets, core.fingerprint, embeddings)


@pytest.fixture(scope="module")
def head(artifact: Artifact, faces: Faces) -> Head:
    return Head(*portrait(faces.read(HIM_TODAY), Detector(artifact.detector)))


def verify(client: httpx.Client, picture: bytes, identity: str = "ada", **more: Any) -> Any:
    return post(client, "/v1/verify", "multipart", {"image": picture}, identity=identity, **more)


# The whole way


def test_who_moves_as_asked_gets_a_token_and_is_verified_by_it_once(
    guarded: Guarded, head: Head
) -> None:
    key = guarded.keys[0]
    with guarded.http(key) as client:
        session = answer(client.post("/v1/liveness/sessions", json={"identity": "ada"}), 201)
        assert (session["identity"], session["challenges"]) == ("ada", 4)
        told = follow(
            guarded.service.url,
            session["session"],
            lambda stance, _: head.frame(stance),
            Follower(reaction_s=0.25, takes_s=0.8),
            key=key,
        )
        assert told.messages[0]["type"] == "ready"
        assert told.messages[1]["kind"] == "hold"
        assert told.last["live"] is True, told.last
        assert [said["number"] for said in told.of("passed")] == [1, 2, 3, 4]
        assert len(told.movements) == 4
        frames = told.of("frame")
        assert [said["frame"] for said in frames] == list(range(1, len(frames) + 1))
        assert frames[-1]["progress"] == 1
        assert frames[-1]["face"]["box"]["width"] > 50
        assert {said["pose"] is None for said in frames} == {True, False}
        token = told.last["token"]
        picture = jpeg(head.frame(Stance()))
        found = answer(verify(client, picture, liveness_token=token, require_liveness=True))
        assert (found["verified"], found["liveness"]) == (True, {"live": True})
        problem(verify(client, picture, liveness_token=token), 403, "liveness_used")
    rows = [row for row in guarded.audit("ada") if row["action"] == "liveness"]
    assert [row["outcome"] for row in rows[-2:]] == ["begun", "passed"]
    assert rows[-1]["details"]["passed"] == rows[-1]["details"]["challenges"] == 4
    assert rows[-1]["details"]["ended_by"] == "decided"
    (verified,) = [row for row in guarded.audit("ada") if row["outcome"] == "verified"]
    assert verified["details"]["live"] is True


def test_a_photograph_is_not_live_and_that_is_one_failure(
    guarded: Guarded, artifact: Artifact, faces: Faces
) -> None:
    flat = Photograph(portrait(faces.read(ANOTHER), Detector(artifact.detector))[0])
    with guarded.http() as client:
        session = begin(client, "joe")
        told = follow(
            guarded.service.url,
            session["session"],
            lambda stance, _: flat.frame(stance),
            Follower(),
            key=guarded.service.key,
        )
        assert told.last["type"] == "result"
        assert (told.last["live"], told.last["identity"]) == (False, "joe")
        assert told.last["why"] in ("timed_out", "flat")
        assert told.last["detail"].endswith(".")
        assert "token" not in told.last
        assert client.get("/v1/identities/joe").json()["failures"] == 1
        assert client.post("/v1/identities/joe/unlock").status_code == 204
    row = [row for row in guarded.audit("joe") if row["action"] == "liveness"][-1]
    assert (row["outcome"], row["details"]["ended_by"]) == ("failed", told.last["why"])


# Sessions


def said(socket: Any) -> Json:
    message: Json = json.loads(socket.recv(timeout=20))
    return message


def test_a_session_is_begun_once_by_the_key_that_asked_for_it(guarded: Guarded) -> None:
    first, second, elsewhere = guarded.keys
    with guarded.http(first) as client:
        session = begin(client, "ada")["session"]
    for key in (second, elsewhere, guarded.service.key):
        with stream_opened(guarded.service.url, session, key) as socket:
            assert said(socket)["code"] == "wrong_liveness"
    with stream_opened(guarded.service.url, session) as socket:
        assert said(socket)["code"] == "missing_key"
    with stream_opened(guarded.service.url, session, first) as socket:
        assert said(socket)["type"] == "ready"
    with stream_opened(guarded.service.url, session, first) as socket:
        refused = said(socket)
        assert (refused["type"], refused["code"]) == ("problem", "session_used")
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=20)
        assert socket.close_code == 1008


def test_sessions_that_are_none(guarded: Guarded, minted: Minted) -> None:
    key = guarded.keys[0]
    for text in ("", "x", "A" * 3000, minted.token(key)):
        with stream_opened(guarded.service.url, text, key) as socket:
            assert said(socket)["code"] == "wrong_liveness"
    for first in ("", "[]", '{"identity": "ada"}', "x" * 5000):
        address = guarded.service.url.replace("http", "ws", 1) + "/v1/liveness/stream"
        with connect(address, proxy=None) as socket:
            socket.send(first)
            assert said(socket)["code"] == "invalid_request"


def test_a_session_has_its_time(guarded: Guarded) -> None:
    for short in guarded.tickets(0.001):
        text = short.new_session(Holder(guarded.keys[0].split("_")[1], "default"), "ada").text
        time.sleep(0.01)
        with stream_opened(guarded.service.url, text, guarded.keys[0]) as socket:
            assert said(socket)["code"] == "session_expired"


def test_for_whom_there_is_no_session(guarded: Guarded) -> None:
    with guarded.http(guarded.keys[0]) as client:
        path = "/v1/liveness/sessions"
        problem(client.post(path, json={"identity": "nobody"}), 404, "unknown_identity")
        problem(client.post(path, json={"identity": "../x"}), 422, "invalid_request")
        problem(client.post(path, json={"identity": "ada", "x": 1}), 422, "invalid_request")
        form = client.post(path, files={"identity": (None, "ada")})
        assert answer(form, 201)["identity"] == "ada"
    with guarded.http(guarded.keys[2]) as client:
        problem(client.post(path, json={"identity": "ada"}), 404, "unknown_identity")
    with httpx.Client(base_url=guarded.service.url) as client:
        problem(client.post(path, json={"identity": "ada"}), 401, "missing_key")


@pytest.mark.parametrize("numbers", [(1, 2, 2), (5, 6, 4), (0,), (7, 2**32 - 1, 8)])
def test_frames_out_of_order(guarded: Guarded, head: Head, numbers: tuple[int, ...]) -> None:
    picture = jpeg(head.frame(Stance()))
    with guarded.http() as client:
        session = begin(client, "ada")["session"]
    with stream_opened(guarded.service.url, session, guarded.service.key) as socket:
        for number in numbers:
            socket.send(numbered(number, picture))
        while (message := said(socket))["type"] != "result":
            pass
    assert (message["live"], message["why"]) == (False, "out_of_order")


def test_a_message_without_a_picture_is_out_of_order_too(guarded: Guarded) -> None:
    with guarded.http() as client:
        session = begin(client, "ada")["session"]
    with stream_opened(guarded.service.url, session, guarded.service.key) as socket:
        socket.send(b"\x00\x00\x00\x01")
        while (message := said(socket))["type"] != "result":
            pass
    assert message["why"] == "out_of_order"


# Tokens


def test_a_token_of_another_replica_counts_here(
    guarded: Guarded, minted: Minted, faces: Faces
) -> None:
    key = guarded.keys[0]
    with guarded.http(key) as client:
        found = answer(verify(client, faces.read(HIM), liveness_token=minted.token(key)))
        assert (found["verified"], found["liveness"]) == (True, {"live": True})
        assert answer(verify(client, faces.read(HIM)))["liveness"] is None


def test_a_token_is_for_one_key_identity_and_model(
    guarded: Guarded, minted: Minted, faces: Faces
) -> None:
    key, other, _ = guarded.keys
    picture = faces.read(HIM)
    with guarded.http(key) as client:
        for token in (
            minted.token(other),
            minted.token(""),
            minted.token(key, identity="joe"),
            minted.token(key, fingerprint="f" * 16),
            "forged",
            "",
        ):
            problem(verify(client, picture, liveness_token=token), 403, "wrong_liveness")
        token = minted.token(key)
        for place in (2, 40, 300):
            sealed = bytearray(base64.urlsafe_b64decode(token))
            sealed[place] ^= 1
            changed = base64.urlsafe_b64encode(sealed).decode()
            problem(verify(client, picture, liveness_token=changed), 403, "wrong_liveness")
        # None of that has used it up.
        assert answer(verify(client, picture, liveness_token=token))["verified"]


def test_a_token_that_comes_late(guarded: Guarded, minted: Minted, faces: Faces) -> None:
    key = guarded.keys[0]
    for short in guarded.tickets(0.001):
        late = Minted(short, minted.fingerprint, minted.faces).token(key)
        time.sleep(0.01)
        with guarded.http(key) as client:
            refused = verify(client, faces.read(HIM), liveness_token=late)
        problem(refused, 403, "liveness_expired")


def test_a_photograph_of_him_after_somebody_else_was_live(
    guarded: Guarded, minted: Minted, faces: Faces
) -> None:
    """It would be verified; but whoever was live was not him."""
    key = guarded.keys[0]
    with guarded.http() as admin, guarded.http(key) as client:
        assert admin.post("/v1/identities/ada/unlock").status_code == 204
        token = minted.token(key, ANOTHER)
        refused = verify(client, faces.read(HIM_TODAY), liveness_token=token)
        problem(refused, 403, "liveness_mismatch")
        # It counts as one in vain, and the token is used up.
        assert admin.get("/v1/identities/ada").json()["failures"] == 1
        problem(verify(client, faces.read(ANOTHER), liveness_token=token), 403, "liveness_used")
        assert admin.post("/v1/identities/ada/unlock").status_code == 204
    row = [row for row in guarded.audit("ada") if row["outcome"] == "liveness_mismatch"][-1]
    assert row["action"] == "verify"


def test_who_was_live_and_is_not_enrolled_is_not_verified(
    guarded: Guarded, minted: Minted, faces: Faces
) -> None:
    key = guarded.keys[0]
    with guarded.http(key) as client:
        token = minted.token(key, ANOTHER)
        found = answer(verify(client, faces.read(ANOTHER), liveness_token=token))
    assert (found["verified"], found["liveness"]) == (False, {"live": True})


def test_of_one_token_used_at_once_one_wins(guarded: Guarded, minted: Minted, faces: Faces) -> None:
    key = guarded.keys[0]
    token, picture = minted.token(key), faces.read(HIM)
    with guarded.http(key) as client, ThreadPoolExecutor(6) as pool:
        codes = [
            one.status_code
            for one in pool.map(lambda _: verify(client, picture, liveness_token=token), range(6))
        ]
    assert sorted(codes) == [200, *[403] * 5]


def test_a_request_may_demand_it(guarded: Guarded, minted: Minted, faces: Faces) -> None:
    key = guarded.keys[0]
    with guarded.http(key) as client:
        for style in ("multipart", "json"):
            refused = post(
                client, "/v1/verify", style, {"image": faces.read(HIM)},
                identity="ada", require_liveness=True,
            )  # fmt: skip
            problem(refused, 403, "missing_liveness")
        assert client.get("/v1/model").json()["require_liveness"] is False


# A service that demands it of all


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory, faces: Faces) -> Iterator[Service]:
    """It asks for no key."""
    data_dir = tmp_path_factory.mktemp("strict")
    with service_process(data_dir, require_liveness=True, throttle_after=2) as service:
        with httpx.Client(base_url=service.url, timeout=60) as client:
            enrol(client, "ada", faces.read(HIM), faces.read("obama2.jpg"))
        (data_dir / "name").write_text(str(data_dir))
        service.output.append(str(data_dir))
        yield service


@pytest.fixture(scope="module")
def strictly(strict: Service, minted: Minted) -> Iterator[Minted]:
    settings = Settings.model_validate({"data_dir": Path(strict.output[-1])})
    with closing(opened(settings)) as found:
        yield Minted(tickets_of(settings, found), minted.fingerprint, minted.faces)


def test_nobody_is_verified_without_a_token(
    strict: Service, strictly: Minted, faces: Faces
) -> None:
    with httpx.Client(base_url=strict.url, timeout=60) as client:
        assert client.get("/v1/model").json()["require_liveness"] is True
        problem(verify(client, faces.read(HIM)), 403, "missing_liveness")
        # A request cannot ask for less.
        refused = verify(client, faces.read(HIM), require_liveness=False)
        problem(refused, 403, "missing_liveness")
        found = answer(verify(client, faces.read(HIM), liveness_token=strictly.token("")))
        assert (found["verified"], found["liveness"]) == (True, {"live": True})


def stream(service: Service, picture: bytes, **first: object) -> Json:
    """The last that a verifying stream says of one picture."""
    address = service.url.replace("http", "ws", 1) + "/v1/verify/stream"
    with connect(address, proxy=None) as socket:
        socket.send(json.dumps({"identity": "ada", **first}))
        message = said(socket)
        while message["type"] not in ("problem", "result"):
            # What was said before the end is still to be read.
            with suppress(ConnectionClosed):
                socket.send(picture)
            message = said(socket)
        return message


def test_nor_by_a_stream(strict: Service, strictly: Minted, faces: Faces) -> None:
    picture = faces.read(HIM_TODAY)
    assert stream(strict, picture)["code"] == "missing_liveness"
    token = strictly.token("")
    last = stream(strict, picture, liveness_token=token)
    assert (last["type"], last["verified"], last["liveness"]) == ("result", True, {"live": True})
    assert stream(strict, picture, liveness_token=token)["code"] == "liveness_used"


def test_a_stream_of_a_photograph_after_somebody_else_was_live(
    strict: Service, strictly: Minted, faces: Faces
) -> None:
    last = stream(strict, faces.read(HIM_TODAY), liveness_token=strictly.token("", ANOTHER))
    assert (last["type"], last["verified"]) == ("result", False)
    with httpx.Client(base_url=strict.url, timeout=60) as client:
        assert client.get("/v1/identities/ada").json()["failures"] == 1
        assert client.post("/v1/identities/ada/unlock").status_code == 204


def test_after_sessions_in_vain_there_is_none_for_a_while(strict: Service, head: Head) -> None:
    blank = jpeg(head.frame(Stance()) // 20)
    with httpx.Client(base_url=strict.url, timeout=60) as client:
        # Nobody was there: nothing was asked for, and nothing is counted.
        session = begin(client, "ada")["session"]
        with stream_opened(strict.url, session) as socket:
            socket.send(numbered(1, blank))
            while (message := said(socket))["type"] != "frame":
                pass
            assert message["code"] in ("low_quality", "no_face")
        assert client.get("/v1/identities/ada").json()["failures"] == 0
        picture = jpeg(head.frame(Stance()))
        for count in (1, 2):
            session = begin(client, "ada")["session"]
            with stream_opened(strict.url, session) as socket:
                number = 0
                while (message := said(socket)).get("kind", "hold") == "hold":
                    number += 1
                    socket.send(numbered(number, picture))
            deadline = time.monotonic() + 10
            while client.get("/v1/identities/ada").json()["failures"] < count:
                assert time.monotonic() < deadline
        refused = client.post("/v1/liveness/sessions", json={"identity": "ada"})
        problem(refused, 429, "too_many_failures")
        assert client.post("/v1/identities/ada/unlock").status_code == 204
