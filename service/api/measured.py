"""Counts each request by its route, and how long it took.

By the route's template, never the address: that holds names of identities.
"""

from __future__ import annotations

import time
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.access_log import method_of, route_of
from service.core.meters import Meters

_GONE: Final = "left"
"""Instead of a status: the caller left without an answer."""


class Measured:
    """Stands outside of all else that answers."""

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self._app = app
        self._meters = meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = time.perf_counter()
        status = _GONE

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            route, method = route_of(scope), method_of(scope)
            self._meters.requests.add(route, method, status)
            self._meters.request_s.observe(time.perf_counter() - begun, route, method)
