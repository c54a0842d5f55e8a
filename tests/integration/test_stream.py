"""WS /v1/verify/stream, asked by a real client with real faces."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.faces import Faces
from tests.integration.api_client import enrol
from tests.integration.commands import audit_rows, new_key
from tests.pictures import encoded
from tests.running import Service, service_process

Json = dict[str, Any]
BLANK = encoded(np.full((480, 640, 3), 128, np.uint8), "JPEG")
LIMITS = {"stream_frames": 1000, "stream_s": 8, "max_streams": 3}


@dataclass(frozen=True)
class Guarded:
    service: Service
    data_dir: Path
    keys: dict[str, str]

    def http(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.service.url, headers={"X-API-Key": self.service.key}, timeout=60
        )

    def audit(self, identity: str) -> list[Json]:
        """Its verifications, as they are on record."""
        rows = audit_rows(self.data_dir, "--identity", identity)
        return [row for row in rows if row["action"] == "verify"]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, faces: Faces) -> Iterator[Guarded]:
    data_dir = tmp_path_factory.mktemp("data")
    chosen = {"insecure": False, "hide_scores": True, "throttle_after": 2, **LIMITS}
    with service_process(data_dir, cors_origins="https://allowed.example", **chosen) as service:
        keys = {scope: new_key(data_dir, scope) for scope in ("verify", "enroll")}
        found = Guarded(service, data_dir, keys)
        with found.http() as client:
            enrol(client, "ada", faces.read("obama.jpg"), faces.read("obama2.jpg"))
        yield found


@pytest.fixture(autouse=True)
def _no_failures(guarded: Guarded) -> None:
    with guarded.http() as client:
        assert client.post("/v1/identities/ada/unlock").status_code == 204


@contextmanager
def stream(
    guarded: Guarded, identity: str = "ada", *, key: str | None = None, **more: object
) -> Iterator[ClientConnection]:
    """Begun, and ready."""
    with opened(guarded) as socket:
        first = {"identity": identity, "key": key or guarded.service.key, **more}
        socket.send(json.dumps(first))
        ready = said(socket)
        assert ready["type"] == "ready", ready
        yield socket


@contextmanager
def opened(
    guarded: Guarded, origin: str | None = None, path: str = ""
) -> Iterator[ClientConnection]:
    url = guarded.service.url.replace("http", "ws", 1) + "/v1/verify/stream" + path
    with connect(url, origin=origin, proxy=None) as socket:  # type: ignore[arg-type]
        yield socket


def said(socket: ClientConnection) -> Json:
    message: Json = json.loads(socket.recv(timeout=20))
    return message


def shown(socket: ClientConnection, frames: list[bytes], most: int = 60) -> list[Json]:
    """Shows frames in turn, each when the one before was looked at; all that was said."""
    answers: list[Json] = []
    for turn in range(most):
        try:
            socket.send(frames[turn % len(frames)])
            answers.append(said(socket))
        except ConnectionClosed:
            break
        if answers[-1]["type"] != "frame":
            break
        if answers[-1]["verdict"] != "undecided":
            answers.append(said(socket))
            break
    return answers


def closed_with(socket: ClientConnection) -> int | None:
    try:
        while True:
            socket.recv(timeout=20)
    except ConnectionClosed:
        return socket.close_code


# Verdicts


def test_a_person_is_verified_by_a_few_frames_and_counted_once(
    guarded: Guarded, faces: Faces
) -> None:
    before = len(guarded.audit("ada"))
    with stream(guarded) as socket:
        *frames, result = shown(socket, [faces.read("obama3.jpg")])
        assert closed_with(socket) == 1000
    assert [frame["frame"] for frame in frames] == list(range(1, len(frames) + 1))
    assert 3 <= len(frames) <= 8
    for frame in frames:
        assert frame["matches"] is True
        assert frame["counted"] is True
        assert frame["code"] is None
        assert frame["face"]["box"]["width"] > 50
        assert set(frame["face"]["landmarks"]) >= {"left_eye", "right_eye"}
    evidence = [frame["evidence"] for frame in frames]
    assert evidence == sorted(evidence)
    assert evidence[-1] == 1
    assert result["type"] == "result"
    assert (result["verified"], result["why"]) == (True, "decided")
    assert result["frames"] == result["matching"] == len(frames)
    assert result["fmr"] == 1e-4
    (row,) = guarded.audit("ada")[before:]
    assert (row["action"], row["outcome"]) == ("verify", "verified")
    assert row["details"]["frames"] == len(frames)
    assert row["details"]["ended_by"] == "decided"


def test_a_stranger_is_not_and_that_is_one_failure(guarded: Guarded, faces: Faces) -> None:
    before = len(guarded.audit("ada"))
    begun = time.monotonic()
    with stream(guarded) as socket:
        *frames, result = shown(socket, [faces.read("biden.jpg")], 1000)
    assert (result["verified"], result["why"]) == (False, "decided")
    assert time.monotonic() - begun > 2
    assert all(frame["matches"] is False for frame in frames)
    assert result["evidence"] == -1
    (row,) = guarded.audit("ada")[before:]
    assert (row["outcome"], row["details"]["frames_matching"]) == ("not_verified", 0)
    # Two in vain are allowed; a row of frames is one.
    with stream(guarded) as socket:
        shown(socket, [faces.read("biden.jpg")], 1000)
    with opened(guarded) as socket:
        socket.send(json.dumps({"identity": "ada", "key": guarded.service.key}))
        refused = said(socket)
        assert (refused["type"], refused["code"]) == ("problem", "too_many_failures")
        assert closed_with(socket) == 1013


def test_who_leaves_before_the_verdict_has_failed_if_a_frame_did_not_match(
    guarded: Guarded, faces: Faces
) -> None:
    before = len(guarded.audit("ada"))
    for picture in ("obama3.jpg", "biden.jpg", "biden.jpg"):
        with stream(guarded) as socket:
            socket.send(faces.read(picture))
            assert said(socket)["type"] == "frame"
    deadline = time.monotonic() + 10
    while len(rows := guarded.audit("ada")[before:]) < 3 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [row["details"]["ended_by"] for row in rows] == ["caller"] * 3
    assert {row["outcome"] for row in rows} == {"not_verified"}
    with guarded.http() as client:
        assert client.get("/v1/identities/ada").json()["failures"] == 2


def test_one_who_is_replaced_again_and_again_is_not_verified(
    guarded: Guarded, faces: Faces
) -> None:
    with stream(guarded) as socket:
        *_, result = shown(socket, [faces.read("biden.jpg"), faces.read("obama3.jpg")], 1000)
    assert (result["type"], result["verified"]) == ("result", False)


def test_frames_without_a_face_say_nothing(guarded: Guarded, faces: Faces) -> None:
    with stream(guarded) as socket:
        socket.send(BLANK)
        frame = said(socket)
        assert (frame["code"], frame["face"], frame["counted"]) == ("no_face", None, False)
        socket.send(b"no picture")
        assert said(socket)["code"] == "undecodable_image"
        socket.send(faces.read("obama3.jpg")[:20_000])
        assert said(socket)["verdict"] == "undecided"
        *_, result = shown(socket, [faces.read("obama3.jpg")])
        assert result["verified"] is True


@pytest.mark.long
def test_a_stream_ends_by_itself(guarded: Guarded) -> None:
    begun = time.monotonic()
    with stream(guarded) as socket:
        result = said(socket)
        assert closed_with(socket) == 1000
    assert (result["verified"], result["why"], result["frames"]) == (False, "time", 0)
    assert LIMITS["stream_s"] <= time.monotonic() - begun < LIMITS["stream_s"] + 5


def test_the_newest_frame_wins(guarded: Guarded, faces: Faces) -> None:
    """What came while one was looked at is passed over, and costs nothing."""
    with stream(guarded) as socket:
        for _ in range(60):
            socket.send(BLANK)
        frames = [said(socket)]
        while sum(frame["skipped"] + 1 for frame in frames) < 60:
            frames.append(said(socket))
    assert len(frames) < 50
    assert max(frame["skipped"] for frame in frames) > 0


def test_scores_are_hidden_from_a_key_that_only_verifies(guarded: Guarded, faces: Faces) -> None:
    with stream(guarded, key=guarded.keys["verify"]) as socket:
        *frames, result = shown(socket, [faces.read("obama3.jpg")])
    for frame in frames:
        assert frame["matches"] is frame["score"] is frame["evidence"] is None
        assert frame["face"] is not None
    assert result["verified"] is True
    assert result["matching"] is result["evidence"] is None


# Who may


@pytest.mark.parametrize(
    ("key", "code"), [(None, "missing_key"), ("x", "wrong_key"), ("enroll", "missing_scope")]
)
def test_a_key_goes_into_the_first_message(guarded: Guarded, key: str | None, code: str) -> None:
    with opened(guarded, path=f"?key={guarded.service.key}") as socket:
        text = guarded.keys.get(key, key) if key else None
        socket.send(json.dumps({"identity": "ada", "key": text}))
        refused = said(socket)
        assert (refused["type"], refused["code"]) == ("problem", code)
        assert guarded.service.key not in json.dumps(refused)
        assert closed_with(socket) == 1008


@pytest.mark.parametrize(
    "first",
    [
        b"\xff\xd8",
        "",
        "no JSON",
        "[]",
        "{}",
        '{"identity": "../x"}',
        '{"identity": "ada", "fnr": 1}',
        '{"identity": "ada", "fmr": false}',
        '{"identity": "ada", "image": "x"}',
        '{"identity": "' + "a" * 5000 + '"}',
    ],
)
def test_a_first_message_that_is_none(guarded: Guarded, first: str | bytes) -> None:
    with opened(guarded) as socket:
        socket.send(first)
        refused = said(socket)
        assert (refused["code"], refused["status"]) == ("invalid_request", 422)
        assert closed_with(socket) == 1008


def test_an_unknown_identity_and_one_that_goes_meanwhile(guarded: Guarded, faces: Faces) -> None:
    with opened(guarded) as socket:
        socket.send(json.dumps({"identity": "nobody", "key": guarded.service.key}))
        assert said(socket)["code"] == "unknown_identity"
    with guarded.http() as client:
        enrol(client, "eve", faces.read("obama.jpg"))
        with stream(guarded, "eve") as socket:
            socket.send(faces.read("biden.jpg"))
            assert said(socket)["type"] == "frame"
            assert client.delete("/v1/identities/eve").status_code == 200
            socket.send(faces.read("biden.jpg"))
            assert said(socket)["code"] == "unknown_identity"


def test_a_page_of_another_site_may_not_ask(guarded: Guarded) -> None:
    with pytest.raises(InvalidStatus) as refused, opened(guarded, "https://evil.example"):
        pass
    assert refused.value.response.status_code == 403
    for origin in (guarded.service.url, "https://allowed.example"):
        with opened(guarded, origin) as socket:
            socket.send("")
            assert said(socket)["code"] == "invalid_request"


def test_so_many_at_once_and_no_more(guarded: Guarded) -> None:
    with stream(guarded) as _, stream(guarded) as _, stream(guarded) as third:
        with opened(guarded) as socket:
            assert said(socket)["code"] == "overloaded"
            assert closed_with(socket) == 1013
        third.close()
        time.sleep(0.3)
        with stream(guarded):
            pass


def test_a_frame_that_is_too_large_ends_it_and_so_does_the_last_one(
    tmp_path: Path, faces: Faces
) -> None:
    with service_process(tmp_path, max_image_bytes=2_000_000, stream_frames=5) as service:
        with httpx.Client(base_url=service.url, timeout=60) as client:
            enrol(client, "ada", faces.read("obama.jpg"))
        guarded = Guarded(service, tmp_path, {})
        with stream(guarded, key="unused") as socket:
            socket.send(bytes(2_000_001))
            assert closed_with(socket) == 1009
        with stream(guarded, key="unused") as socket:
            frames = [BLANK, *[faces.read("obama3.jpg")] * 2]
            answers = shown(socket, frames, 5)
            result = said(socket)
        assert [answer["type"] for answer in answers] == ["frame"] * 5
        assert (result["verified"], result["why"], result["frames"]) == (False, "frames", 3)
