"""A client of the liveness stream that shows frames and follows what it is asked."""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from model.types import Image
from tests.head_motion import Follower, Stance, jpeg

Json = dict[str, Any]
Show = Callable[[Stance, Json | None], Image]
"""The frame to show in a stance; is told the challenge that is on, None before the first."""

_LONGEST_S = 0.15
"""That a frame takes, by the clock of the person who is shown."""


@dataclass
class Told:
    """All that a session has said, in its order."""

    messages: list[Json] = field(default_factory=list)

    def of(self, kind: str) -> list[Json]:
        return [message for message in self.messages if message["type"] == kind]

    @property
    def last(self) -> Json:
        return self.messages[-1]

    @property
    def movements(self) -> list[str]:
        return [said["kind"] for said in self.of("challenge") if said["kind"] != "hold"]


def begin(client: httpx.Client, identity: str, **more: Any) -> Json:
    """A new session's JSON."""
    response = client.post("/v1/liveness/sessions", json={"identity": identity}, **more)
    assert response.status_code == 201, response.text
    made: Json = response.json()
    return made


@contextmanager
def opened(url: str, session: str, key: str | None = None) -> Iterator[ClientConnection]:
    """A liveness stream, after its first message was sent."""
    address = url.replace("http", "ws", 1) + "/v1/liveness/stream"
    with connect(address, proxy=None) as socket:
        socket.send(json.dumps({"session": session, **({"key": key} if key else {})}))
        yield socket


def numbered(number: int, picture: bytes) -> bytes:
    return struct.pack(">I", number) + picture


def follow(
    url: str,
    session: str,
    show: Show,
    follower: Follower,
    *,
    key: str | None = None,
) -> Told:
    """Goes through a session; every frame is sent when the one before was looked at."""
    told = Told()
    challenge: Json | None = None
    now, before = 0.0, time.monotonic()
    with opened(url, session, key) as socket:
        number = 0
        try:
            while True:
                message: Json = json.loads(socket.recv(timeout=20))
                told.messages.append(message)
                # On a slow machine the person is slow as well: a movement is seen on its way.
                now += min(time.monotonic() - before, _LONGEST_S)
                before = time.monotonic()
                match message["type"]:
                    case "result" | "problem":
                        return told
                    case "challenge":
                        challenge = message
                        follower.told(message["kind"], now)
                        # Shown first when the session is ready; later a frame is on its way.
                        if number:
                            continue
                    case "ready" | "passed":
                        continue
                number += 1
                picture = jpeg(show(follower.stance(now), challenge))
                # What was said before the end is still to be read.
                with suppress(ConnectionClosed):
                    socket.send(numbered(number, picture))
        except ConnectionClosed:
            return told
