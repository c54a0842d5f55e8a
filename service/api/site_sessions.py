"""What other sites use: sessions for their pages, and the keys that results are checked with.

A session takes the place of a key in the first message of WS /v1/verify/stream and of
WS /v1/liveness/stream: it is all that a page of another site has (docs/embed.md).
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime

from anyio import to_thread
from fastapi import APIRouter, Response, WebSocket

from service.api.access import admitted_as
from service.api.audited import audited
from service.api.body import openapi_body
from service.api.documented import BODY, STORED, problems
from service.api.door import at_the_door
from service.api.requests import SiteSessionRequest, StreamRequest
from service.api.schemas_sites import KeySetOut, SiteSessionOut
from service.api.state import Running, RunningDep
from service.core.access import ApiKey
from service.core.errors import InvalidRequest, WrongKey
from service.core.sites import SiteSession, opened_session

router = APIRouter(tags=["sites"])

_KEYS_AGE_S = 30


@router.post(
    "/v1/verify/sessions",
    response_model=SiteSessionOut,
    status_code=201,
    responses=problems(*BODY, "unknown_identity", "overloaded", success=201),
    openapi_extra=openapi_body(SiteSessionRequest, ()),
)
@at_the_door(SiteSessionRequest, "verify", status_code=201)
def begin_site_session(body: SiteSessionRequest, running: Running) -> SiteSessionOut:
    """A session with which a page of another site can verify one identity, without a key.

    All that the page could choose is in it, sealed; the result is signed for `audience`.
    """
    with audited(running, "site_session", body.identity):
        _check_origin(body.origin, running)
        running.core.store.standing(body.identity)  # Raises UnknownIdentity.
        session = SiteSession(
            body.model_dump(exclude={"origin"}),
            body.origin,
            running.core.collection,
            running.caller.key_id,
            time.time() + running.settings.site_session_s,
        )
        text = session.sealed(running.sites.session_key())
    ends = datetime.fromtimestamp(session.expires_at, UTC)
    return SiteSessionOut(session=text, identity=body.identity, expires_at=ends)


@router.get("/v1/keys", responses=problems(*STORED, guarded=False))
def get_keys(running: RunningDep, response: Response) -> KeySetOut:
    """The public keys (a JWK set) that signed results are checked with."""
    response.headers["Cache-Control"] = f"public, max-age={_KEYS_AGE_S}"
    return KeySetOut.model_validate({"keys": running.sites.public_keys()})


async def admitted_by_session(
    text: str, token: str | None, socket: WebSocket, at_work: Running
) -> tuple[StreamRequest, Running]:
    """What a session asks for, and the service as the key sees it that asked for the session.

    Args:
        text: The session.
        token: Shows that the person is live; the page may add it.

    Raises:
        WrongSiteSession, SiteSessionExpired
        WrongKey: If that key opens nothing any more.
        MissingScope, RateLimited
    """
    origin = socket.headers.get("origin")

    def opened() -> tuple[SiteSession, ApiKey | None]:
        key = at_work.sites.session_key()
        session = opened_session(text, key, origin=origin, now=time.time())
        if at_work.doorkeeper is None:
            return session, None
        if session.key_id is None:
            raise WrongKey("the session was given without a key, and one is asked for now")
        return session, at_work.doorkeeper.of_id(session.key_id)

    session, key = await to_thread.run_sync(opened)
    fields = {**session.fields, "liveness_token": token}
    asked = StreamRequest.model_validate(fields)
    if key is None:
        core = at_work.core.within(session.collection)
        return asked, replace(at_work, core=core)
    return asked, admitted_as(key, at_work, "verify", socket.state)


def _check_origin(origin: str, running: Running) -> None:
    """Raises InvalidRequest if pages of this origin may not ask anyway."""
    if origin not in running.settings.cors_origins:
        raise InvalidRequest(f"{origin} is not among SEMBLANCE_CORS_ORIGINS")
