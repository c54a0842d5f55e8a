"""On every answer: the request's id, and headers that close what is not needed.

A fault that nobody handled becomes its answer here, not outside, where it would
go without them.
"""

from __future__ import annotations

import re
import uuid

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.problems import rate_headers, unexpected

_REQUEST_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
    "connect-src 'self'; media-src 'self' blob:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), microphone=(), geolocation=()"),
    (b"content-security-policy", PAGE_POLICY.encode()),
)
_API_HEADERS = (*_HEADERS, (b"cache-control", b"no-store"))
_API = ("/v1/", "/enroll", "/verify", "/api/v1/", "/deepface/")


class Headed:
    """Adds `X-Request-Id` (the caller's own, if it is a plain one) and the rest."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        usual = _API_HEADERS if scope["path"].startswith(_API) else _HEADERS

        started = False

        async def headed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = message["headers"]
                there = {name for name, _ in headers}
                headers.append((b"x-request-id", request_id.encode()))
                headers.extend(header for header in usual if header[0] not in there)
                headers.extend(_allowance(scope, there))
            await send(message)

        try:
            await self._app(scope, receive, headed)
        except ClientDisconnect:
            return  # nobody is left to answer
        except Exception as error:
            if started:
                raise
            answer = unexpected(Request(scope, receive), error)
            await answer(scope, receive, headed)


def _allowance(scope: Scope, there: set[bytes]) -> list[tuple[bytes, bytes]]:
    """What is left to the caller's key, if it has a bound."""
    found = scope["state"].get("allowance")
    if found is None or b"ratelimit-limit" in there:
        return []
    said = rate_headers(found.limit, found.remaining, found.reset_s)
    return [(name.lower().encode(), value.encode()) for name, value in said.items()]


def _request_id(scope: Scope) -> str:
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    text: str = given.decode("latin-1")
    return text if _REQUEST_ID.fullmatch(text) else uuid.uuid4().hex
