"""WS /v1/verify/stream: a person before a camera, verified while the frames come.

    caller   {"identity": ..., "key": ...}      one text, within ten seconds
    service  {"type": "ready", ...}
    caller   a JPEG, and another ...            binary, as fast as it likes
    service  {"type": "frame", ...}             for each that was looked at
    service  {"type": "result", ...}            and closes
             {"type": "problem", ...}           at any time, and closes

docs/stream.md has every field.
"""

from __future__ import annotations

import asyncio
from collections.abc import Set
from functools import partial
from typing import Literal

from anyio import to_thread
from fastapi import APIRouter, WebSocket

from service.api.audited import audited
from service.api.newest import Frames, read_all
from service.api.requests import SessionHello, StreamRequest
from service.api.signing import signed_verdict
from service.api.site_sessions import admitted_by_session
from service.api.socket import admitted, first_message, in_a_stream, in_turn, send
from service.api.state import Running
from service.api.stream_messages import frame_out, stream_result_out
from service.core.audit_details import stream_details, verdict
from service.core.sites import Receiver
from service.core.stream import Row
from service.core.verify import Asked

router = APIRouter()

Why = Literal["decided", "frames", "time"]


@router.websocket("/v1/verify/stream")
async def verify_stream(socket: WebSocket) -> None:
    """Verifies by the frames of a camera, and says all the while how it stands."""
    await in_a_stream(socket, _verified)


async def _verified(socket: WebSocket, running: Running) -> None:
    first = await first_message(socket, _kind, '{"identity": "ada"}')
    if isinstance(first, SessionHello):
        hello, running = await admitted_by_session(
            first.session, first.liveness_token, socket, running
        )
    else:
        hello = first
        running = await admitted(socket, running, hello.key)
    row = await to_thread.run_sync(_row, running, hello)
    frames = Frames()
    reader = asyncio.create_task(read_all(socket, frames.put, frames))
    why: Why | None = None
    signed: str | None = None
    try:
        settings = running.settings
        await send(
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
        counted = asyncio.create_task(to_thread.run_sync(_end, running, hello, row, why))
        signed = await asyncio.shield(counted)
    if why is not None:
        content = stream_result_out(row, why, scores=running.sees_scores)
        await send(socket, content | ({"signed": signed} if signed else {}))


def _kind(names: Set[str]) -> type[StreamRequest] | type[SessionHello]:
    return SessionHello if "session" in names else StreamRequest


def _row(running: Running, hello: StreamRequest) -> Row:
    asked = Asked(
        hello.detection_threshold,
        hello.verification_threshold,
        hello.fmr,
        hello.fusion,
        hello.faces,
    )
    proof = running.proof(hello.identity, hello.liveness_token, hello.require_liveness)
    return Row(running.core, hello.identity, asked, proof=proof)


async def _look_at_all(socket: WebSocket, running: Running, row: Row, frames: Frames) -> Why | None:
    """Until there is a verdict, or no more frames are to be looked at; None: the caller left."""
    looked = 0
    while looked < running.settings.stream_frames:
        taken = await frames.take()
        if taken is None:
            return None
        look = await in_turn(socket, running, partial(row.look, taken.data))
        if look is None:
            continue
        looked += 1
        content = frame_out(look, row, running.core.policy.gate, scores=running.sees_scores)
        await send(socket, {"type": "frame", "frame": looked, "skipped": taken.skipped, **content})
        if row.verdict != "undecided":
            return "decided"
    return "frames"


def _end(running: Running, asked: StreamRequest, row: Row, why: Why | None) -> str | None:
    """Counts the verdict, puts it on record, and signs it for whom it is asked for."""
    with audited(running, "verify", asked.identity) as note:
        is_verified = why == "decided" and row.verdict == "verified"
        note.outcome = verdict(is_verified)
        note.details = stream_details(row, why, scores=running.settings.audit_scores)
        row.end(verified=is_verified)
        if asked.audience is None or why is None:
            return None
        return signed_verdict(
            running,
            Receiver(asked.audience, asked.nonce),
            asked.identity,
            verified=is_verified,
            last=row.last,
            frames=row.evidence.frames,
        )
