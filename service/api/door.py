"""The way of an image request: let in, read, put in a thread, answered.

The route itself is a plain function that runs in the thread: from the bytes of
the body to the bytes of the answer nothing is done on the event loop, and a
request changes threads twice.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from functools import partial
from inspect import signature
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic_core import to_json

from service.api.access import admitted
from service.api.body import parsed, read_body
from service.api.names import IdentityPath
from service.api.state import Running
from service.core.access import Scope

Parsed = TypeVar("Parsed", bound=BaseModel)
Route = Callable[[Request], Awaitable[Response]]
Answer = Mapping[str, object] | Sequence[Mapping[str, object]] | BaseModel
Named = TypeVar("Named", bound=Callable[..., Any])


class DoorRoute(APIRoute):
    """Of a function of `at_the_door`, which is given the request as it is.

    It has no parameters for FastAPI to find in a request, which looked for them all the same.
    Nothing else is found either: dependencies of a router are not asked.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        if list(signature(self.endpoint).parameters) != ["request"]:
            raise TypeError(f"{self.path} takes more than the request")
        handler: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return handler


def at_the_door(
    kind: type[Parsed], scope: Scope, *, repeated: str | None = None, status_code: int = 200
) -> Callable[[Callable[[Parsed, Running], Answer]], Route]:
    """Makes a route of a function from a request to the content of its answer.

    The content goes out as it is: it was made by `present`, and tests hold it
    against OpenAPI. Checking it again took longer than making it.

    Args:
        kind: The request's model.
        scope: What the caller's key must open.
        repeated: The field that may come several times in a form.
        status_code: Of the answer.
    """

    def route_of(work: Callable[[Parsed, Running], Answer]) -> Route:
        async def route(request: Request) -> Response:
            at_work = await admitted(request, scope)
            return await answered(
                request, at_work, kind, work, repeated=repeated, status_code=status_code
            )

        return _named_like(work, route)

    return route_of


def at_the_door_of_one(
    kind: type[Parsed], scope: Scope
) -> Callable[
    [Callable[[str, Parsed, Running], Answer]], Callable[[str, Request], Awaitable[Response]]
]:
    """The same for a route below an identity's address, whose name the function is given."""

    def route_of(
        work: Callable[[str, Parsed, Running], Answer],
    ) -> Callable[[str, Request], Awaitable[Response]]:
        async def route(identity: IdentityPath, request: Request) -> Response:
            at_work = await admitted(request, scope)
            return await answered(request, at_work, kind, partial(work, identity))

        return _named_like(work, route)

    return route_of


async def answered(
    request: Request,
    at_work: Running,
    kind: type[Parsed],
    work: Callable[[Parsed, Running], Answer],
    *,
    repeated: str | None = None,
    status_code: int = 200,
) -> Response:
    """The answer to a request that was admitted: read, put in a thread, worked on."""
    settings, admission = at_work.settings, at_work.admission
    with admission.place() as arrival:
        pieces = await read_body(request, settings.max_body_bytes, arrival)
        content_type = request.headers["content-type"]

        def answer() -> bytes:
            body = parsed(kind, content_type, pieces, settings, repeated)
            return to_json(work(body, at_work), inf_nan_mode="null")

        content = await admission.run(answer, request.is_disconnected)
    return Response(content, status_code, media_type="application/json")


def _named_like(work: Callable[..., Answer], route: Named) -> Named:
    """What FastAPI names and describes the route by."""
    route.__name__ = route.__qualname__ = work.__name__
    route.__doc__ = work.__doc__
    return route
