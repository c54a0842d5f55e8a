"""The frames of a camera on their way to be looked at: the newest wins.

What came while one was looked at is passed over but for the last, so that every answer is about
now and nothing queues up.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from fastapi import WebSocket


@dataclass(frozen=True)
class Taken:
    """A frame to be looked at.

    Attributes:
        skipped: How many were passed over for it.
        at: When it came, by `time.monotonic`.
    """

    data: bytes
    skipped: int
    at: float


@dataclass
class Frames:
    """What has come and was not looked at: the newest alone."""

    _newest: tuple[bytes, float] | None = None
    _skipped: int = 0
    _over: bool = False
    _came: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, frame: bytes) -> None:
        self._skipped += self._newest is not None
        self._newest = frame, time.monotonic()
        self._came.set()

    def close(self) -> None:
        """No more are taken: the caller has left, or is not heard any longer."""
        self._over = True
        self._came.set()

    async def take(self) -> Taken | None:
        """The newest, when there is one; None if no more come."""
        await self._came.wait()
        self._came.clear()
        if self._over or self._newest is None:
            return None
        (data, at), skipped = self._newest, self._skipped
        self._newest, self._skipped = None, 0
        return Taken(data, skipped, at)


async def read_all(socket: WebSocket, put: Callable[[bytes], None], frames: Frames) -> None:
    """Takes what comes, so that the line is never full of what is old; until the caller leaves.

    Args:
        put: Is given each binary message.
        frames: Closed at the end.
    """
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            frames.close()
            return
        data = message.get("bytes")
        if data is not None:
            put(data)
