"""Active liveness: a session is asked for, and passed before the camera.

    POST /v1/liveness/sessions      an opaque session, for one use
    WS   /v1/liveness/stream
      caller   {"session": ..., "key": ...}        one text, within ten seconds; of a page of
               {"site_session": ...}               another site
      service  {"type": "ready", ...}
      caller   number, JPEG                        binary, as fast as the camera
      service  {"type": "challenge", ...}          what to do now
               {"type": "frame", ...}              for each that was looked at
               {"type": "passed", ...}
               {"type": "result", ...}             with a token if it was passed; and closes
               {"type": "problem", ...}            at any time, and closes

docs/liveness.md has every field.
"""

from __future__ import annotations

import asyncio
from collections.abc import Set
from functools import partial
from typing import Final

from anyio import to_thread
from fastapi import APIRouter, WebSocket

from service.api.audited import audited
from service.api.body import openapi_body
from service.api.documented import problems
from service.api.door import at_the_door
from service.api.liveness_messages import challenge_out, live_out, not_live_out, seen_out
from service.api.liveness_schemas import SessionOut
from service.api.newest import Frames, read_all
from service.api.present import Json
from service.api.problems import BAD_REQUEST
from service.api.requests import LivenessRequest, SessionRequest, SiteLivenessHello
from service.api.site_sessions import admitted_by_session
from service.api.socket import admitted, first_message, in_a_stream, in_turn, send
from service.api.state import Running
from service.core.audit_details import liveness_details
from service.core.gallery import gallery_of
from service.core.liveness.challenges import COUNT, random_challenges
from service.core.liveness.session import MOST_FRAMES, MOST_S, Session
from service.core.liveness.tickets import Ticket, Tickets
from service.core.throttle import admit

router = APIRouter(tags=["liveness"])

_NUMBER_BYTES: Final = 4


@router.post(
    "/v1/liveness/sessions",
    response_model=SessionOut,
    status_code=201,
    responses=problems(
        *(BAD_REQUEST, "invalid_request", "request_too_large", "request_timeout"),
        *("unsupported_media_type", "unknown_identity", "model_mismatch"),
        *("too_many_failures", "identity_locked"),
        success=201,
    ),
    openapi_extra=openapi_body(SessionRequest, ()),
)
@at_the_door(SessionRequest, "verify", status_code=201)
def begin_liveness(body: SessionRequest, running: Running) -> Json:
    """A session in which a person shows to be there, before a verification.

    It is passed at `WS /v1/liveness/stream`, which answers with a token for
    `liveness_token` of `POST /v1/verify`.
    """
    _asked_for(running, body.identity)
    made = _tickets(running).new_session(running.holder, body.identity)
    return {
        "session": made.text,
        "identity": body.identity,
        "challenges": COUNT,
        "most_seconds": MOST_S,
        "expires_at": made.expires_at,
    }


@router.websocket("/v1/liveness/stream")
async def liveness_stream(socket: WebSocket) -> None:
    """Asks for movements, and looks whether a person makes them."""
    await in_a_stream(socket, _watched)


class _Numbered:
    """Takes messages of a number and a picture; the numbers must rise."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self._last = 0
        self.in_order = True

    def put(self, message: bytes) -> None:
        number = int.from_bytes(message[:_NUMBER_BYTES], "big")
        if len(message) <= _NUMBER_BYTES or number <= self._last:
            self.in_order = False
            self._frames.close()
            return
        self._last = number
        self._frames.put(message[_NUMBER_BYTES:])


async def _watched(socket: WebSocket, running: Running) -> None:
    hello = await first_message(socket, _kind, '{"session": "..."}')
    if isinstance(hello, SiteLivenessHello):
        asked, running = await admitted_by_session(hello.site_session, None, socket, running)
        session = await to_thread.run_sync(_begun_by_site, running, asked.identity)
    else:
        running = await admitted(socket, running, hello.key)
        session = await to_thread.run_sync(_begun, running, hello.session)
    frames = Frames()
    numbered = _Numbered(frames)
    reader = asyncio.create_task(read_all(socket, numbered.put, frames))
    try:
        await send(
            socket,
            {
                "type": "ready",
                "challenges": session.count,
                "most_frames": MOST_FRAMES,
                "most_seconds": MOST_S,
                "request_id": running.request_id,
            },
        )
        await send(socket, challenge_out(session.first, session))
        try:
            async with asyncio.timeout(MOST_S):
                await _look_at_all(socket, running, session, frames)
        except TimeoutError:
            session.fail("timed_out")
        if not numbered.in_order:
            session.fail("out_of_order")
    finally:
        reader.cancel()
        # Also of one who has left: a session that was begun counts.
        counted = asyncio.create_task(to_thread.run_sync(_end, running, session))
        token = await asyncio.shield(counted)
    if token is not None:
        await send(socket, live_out(session, token))
    elif session.ended is not None:
        await send(socket, not_live_out(session))


def _kind(names: Set[str]) -> type[LivenessRequest] | type[SiteLivenessHello]:
    return SiteLivenessHello if "site_session" in names else LivenessRequest


def _begun(running: Running, text: str) -> Session:
    identity = _tickets(running).begin(text, running.holder)
    return Session(running.core, identity, random_challenges())


def _begun_by_site(running: Running, identity: str) -> Session:
    """As one that is asked for and begun at once: a site's session is no liveness session."""
    _asked_for(running, identity)
    return Session(running.core, identity, random_challenges())


def _asked_for(running: Running, identity: str) -> None:
    """Puts on record that a session for this identity begins, if there may be one.

    Raises:
        UnknownIdentity, ModelMismatch, TooManyFailures, IdentityLocked
    """
    with audited(running, "liveness", identity) as note:
        gallery_of(running.core, identity)
        admit(running.core, identity)
        note.outcome = "begun"


async def _look_at_all(
    socket: WebSocket, running: Running, session: Session, frames: Frames
) -> None:
    """Until it is passed, or failed, or no more frames come."""
    gate = running.core.policy.gate
    while session.frames < MOST_FRAMES:
        taken = await frames.take()
        if taken is None:
            return
        seen = await in_turn(socket, running, partial(session.look, taken.data, taken.at))
        if seen is None:
            continue
        if session.ended is not None:
            return
        content = {"type": "frame", "frame": session.frames, "skipped": taken.skipped}
        await send(socket, {**content, **seen_out(seen, gate)})
        if seen.passed is not None:
            await send(socket, {"type": "passed", "number": seen.passed})
        if session.live:
            return
        if seen.asked is not None:
            await send(socket, challenge_out(seen.asked, session))
    session.fail("frames")


def _end(running: Running, session: Session) -> Ticket | None:
    """Counts how it went, puts it on record, and makes the token if it was passed."""
    with audited(running, "liveness", session.identity) as note:
        note.outcome = "passed" if session.live else "failed"
        note.details = liveness_details(session)
        running.core.meters.liveness.add(
            "passed" if session.live else session.ended or "caller_left"
        )
        session.end()
        if not session.live:
            return None
        return _tickets(running).new_token(
            running.holder, session.identity, session.fingerprint, session.embedding
        )


def _tickets(running: Running) -> Tickets:
    assert running.tickets is not None  # the app has them from its start
    return running.tickets
