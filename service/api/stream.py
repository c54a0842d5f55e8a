"""WS /v1/verify/stream: a person before a camera, verified while the frames come.

    caller   {"identity": ..., "key": ...}      one text, within `_HELLO_S`
    service  {"type": "ready", ...}
    caller   a JPEG, and another ...            binary, as fast as it likes
    service  {"type": "frame", ...}             for each that was looked at
    service  {"type": "result", ...}            and closes
             {"type": "problem", ...}           at any time, and closes

The newest frame wins: what came while one was looked at is passed over but for the last.
docs/stream.md has every field. The key is in the first message, never in the address.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from anyio import to_thread
from fastapi import APIRouter, WebSocket
from pydantic import ValidationError
from pydantic_core import to_json
from starlette.websockets import WebSocketDisconnect

from model.errors import Overloaded, SemblanceError
from service.api.access import admitted_by
from service.api.audited import audited
from service.api.problems import INTERNAL, TABLE, content_of, logger
from service.api.requests import StreamRequest
from service.api.state import AtWork, Running
from service.api.stream_messages import frame_out, stream_result_out
from service.core.audit_details import stream_details, verdict
from service.core.errors import InvalidRequest, MissingKey
from service.core.stream import Row
from service.core.verify import Asked

router = APIRouter()

_HELLO_S: Final = 10.0
_REST_S: Final = 0.1
"""After a frame that nobody had time for."""

_HELLO_BYTES: Final = 4096
_POLICY, _INTERNAL, _LATER = 1008, 1011, 1013
Why = Literal["decided", "frames", "time"]


@dataclass
class _Frames:
    """What has come and was not looked at: the newest alone.

    Attributes:
        skipped: Passed over since the last that was taken.
        gone: The caller has left.
    """

    newest: bytes | None = None
    skipped: int = 0
    gone: bool = False
    came: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, frame: bytes) -> None:
        self.skipped += self.newest is not None
        self.newest = frame
        self.came.set()

    def leave(self) -> None:
        self.gone = True
        self.came.set()

    async def take(self) -> tuple[bytes, int] | None:
        """The newest, and how many were passed over for it; None if no more come."""
        await self.came.wait()
        self.came.clear()
        if self.gone or self.newest is None:
            return None
        taken, skipped = self.newest, self.skipped
        self.newest, self.skipped = None, 0
        return taken, skipped


@router.websocket("/v1/verify/stream")
async def verify_stream(socket: WebSocket) -> None:
    """Verifies by the frames of a camera, and says all the while how it stands."""
    at_work: AtWork = socket.state.at_work
    running = replace(at_work.running, request_id=uuid.uuid4().hex)
    if not _may_ask(socket, running.settings.cors_origins):
        await socket.close(_POLICY)  # before it is accepted: HTTP's 403
        return
    await socket.accept()
    try:
        with running.admission.stream(running.settings.max_streams):
            await _verified(socket, running)
        await socket.close()
    except WebSocketDisconnect:
        return
    except Exception as error:
        await _say_problem(socket, running, error)


def _may_ask(socket: WebSocket, allowed: tuple[str, ...]) -> bool:
    """Browsers say whose page asks, and ask nobody whether it may."""
    origin = socket.headers.get("origin")
    if origin is None or origin in allowed:
        return True
    return urlsplit(origin).netloc == socket.headers.get("host")


async def _verified(socket: WebSocket, running: Running) -> None:
    hello = await _hello(socket)
    if running.doorkeeper is not None:
        if not hello.key:
            raise MissingKey("send a key as `key` in the first message")
        running = await admitted_by(hello.key, running, "verify", socket.state)
    asked = Asked(
        hello.detection_threshold,
        hello.verification_threshold,
        hello.fmr,
        hello.fusion,
        hello.faces,
    )
    row = await to_thread.run_sync(Row, running.core, hello.identity, asked)
    frames = _Frames()
    reader = asyncio.create_task(_read(socket, frames))
    why: Why | None = None
    try:
        settings = running.settings
        await _send(
            socket,
            {
                "type": "ready",
                "identity": hello.identity,
                "request_id": running.request_id,
                "most_frames": settings.stream_frames,
                "most_seconds": settings.stream_s,
            },
        )
        try:
            async with asyncio.timeout(settings.stream_s):
                why = await _look_at_all(socket, running, row, frames)
        except TimeoutError:
            why = "time"
    finally:
        reader.cancel()
        # Also of one who has left: what was seen counts.
        counted = asyncio.create_task(to_thread.run_sync(_end, running, hello.identity, row, why))
        await asyncio.shield(counted)
    if why is not None:
        await _send(socket, stream_result_out(row, why, scores=running.sees_scores))


async def _hello(socket: WebSocket) -> StreamRequest:
    """Raises InvalidRequest, WebSocketDisconnect."""
    try:
        async with asyncio.timeout(_HELLO_S):
            message = await socket.receive()
    except TimeoutError as error:
        raise InvalidRequest(f"the first message did not come within {_HELLO_S:g} s") from error
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    text = message.get("text")
    if text is None or len(text) > _HELLO_BYTES:
        raise InvalidRequest('the first message is a JSON object such as {"identity": "ada"}')
    try:
        return StreamRequest.model_validate_json(text)
    except ValidationError as error:
        # Without what was given: it may hold a key.
        said = (
            f"{'.'.join(map(str, item['loc'])) or 'the message'}: {item['msg']}"
            for item in error.errors(include_input=False, include_url=False)
        )
        raise InvalidRequest("; ".join(said)) from None


async def _read(socket: WebSocket, frames: _Frames) -> None:
    """Takes what comes, so that the line is never full of what is old."""
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            frames.leave()
            return
        data = message.get("bytes")
        if data is not None:
            frames.put(data)


async def _look_at_all(
    socket: WebSocket, running: Running, row: Row, frames: _Frames
) -> Why | None:
    """Until there is a verdict, or no more frames are to be looked at; None: the caller left."""
    looked = 0
    while looked < running.settings.stream_frames:
        taken = await frames.take()
        if taken is None:
            return None
        frame, skipped = taken
        try:
            with running.admission.place():
                look = await running.admission.run(partial(row.look, frame), _stays)
        except Overloaded as error:
            await _send(socket, {"type": "busy", "code": "overloaded", "detail": str(error)})
            await asyncio.sleep(_REST_S)
            continue
        looked += 1
        content = frame_out(look, row, running.core.policy.gate, scores=running.sees_scores)
        await _send(socket, {"type": "frame", "frame": looked, "skipped": skipped, **content})
        if row.verdict != "undecided":
            return "decided"
    return "frames"


async def _stays() -> bool:
    """Whether the caller has gone: that is noticed between two frames."""
    return False


def _end(running: Running, identity: str, row: Row, why: Why | None) -> None:
    """Counts the verdict, and puts it on record."""
    with audited(running, "verify", identity) as note:
        is_verified = why == "decided" and row.verdict == "verified"
        note.outcome = verdict(is_verified)
        note.details = stream_details(row, why, scores=running.settings.audit_scores)
        row.end(verified=is_verified)


async def _send(socket: WebSocket, content: dict[str, Any]) -> None:
    await socket.send_text(to_json(content, inf_nan_mode="null").decode())


async def _say_problem(socket: WebSocket, running: Running, error: Exception) -> None:
    kind = TABLE.get(type(error)) if isinstance(error, SemblanceError) else None
    detail = str(error)
    if kind is None:
        kind, detail = INTERNAL, "The log of the service says more under this request id."
        logger.error("request %s failed", running.request_id, exc_info=error)
    content = content_of(kind, detail, running.request_id)
    code = _LATER if kind.retry else _INTERNAL if kind.status >= 500 else _POLICY
    try:
        await _send(socket, {**content, "type": "problem"})
        await socket.close(code)
    except (WebSocketDisconnect, RuntimeError):
        return  # nobody is left to hear it
