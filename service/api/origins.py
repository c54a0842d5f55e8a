"""Pages of other origins that may call the API from a browser (CORS); by default none."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Receive, Scope, Send

METHODS = ("GET", "POST", "DELETE")
# What the API reads, beyond what a browser always lets through.
REQUEST_HEADERS = ("Authorization", "Content-Type", "X-API-Key", "X-Request-Id")
ANSWER_HEADERS = ("Retry-After", "X-Request-Id")


def allow(app: FastAPI, origins: tuple[str, ...], *, put: bool = False) -> None:
    """Lets pages of these origins read answers.

    Args:
        put: Whether there are routes that take PUT: an adapter's.

    Never with credentials: a key is sent by the page that has it, not by the browser
    of its own accord.
    """
    if origins:
        app.add_middleware(
            _Listed,
            allow_origins=origins,
            allow_methods=(*METHODS, "PUT") if put else METHODS,
            allow_headers=REQUEST_HEADERS,
            expose_headers=ANSWER_HEADERS,
            # A browser asks first, too, when a public page calls an address at home.
            allow_private_network=True,
        )


class _Listed(CORSMiddleware):
    """An origin that is not listed learns what it would if none were."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = Headers(scope=scope).get("origin") if scope["type"] == "http" else None
        if origin is not None and scope["method"] == "OPTIONS" and origin not in self.allow_origins:
            await self.app(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)
