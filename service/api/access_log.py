"""One line for each request: what was asked for, by which key, and how it went.

It shows the route's template, never the address: that holds names of identities. Nor
does it show who asked from where.
"""

from __future__ import annotations

import logging
import time
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.logs import FIELDS

_log = logging.getLogger("semblance.access")

_METHODS: Final = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
NO_ROUTE: Final = "-"


class Logged:
    """Logs each request when it has been answered; stands outside of all else."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        status: int | None = None

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            _write(scope, status, (time.perf_counter() - begun) * 1000)


def _write(scope: Scope, status: int | None, elapsed_ms: float) -> None:
    """Args: status: None if the caller left without an answer."""
    state = scope.get("state", {})
    method = method_of(scope)
    route, request_id, key_id = route_of(scope), state.get("request_id"), state.get("key_id")
    _log.info(
        "%s %s %s %s %.1f ms key %s",
        *(request_id, method, route, status or NO_ROUTE, elapsed_ms, key_id or NO_ROUTE),
        extra={
            FIELDS: {
                "request_id": request_id,
                "method": method,
                "route": route,
                "status": status,
                "elapsed_ms": round(elapsed_ms, 1),
                "key_id": key_id,
            }
        },
    )


def method_of(scope: Scope) -> str:
    """One of the usual ones, or OTHER: a caller may send any word."""
    return scope["method"] if scope["method"] in _METHODS else "OTHER"


def route_of(scope: Scope) -> str:
    """The template, such as /v1/identities/{identity}; "-" if no route takes the request."""
    return getattr(scope.get("route"), "path", None) or scope.get("root_path") or NO_ROUTE
