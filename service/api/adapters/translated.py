"""A route whose problems are told in another system's words."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.requests import ClientDisconnect

from service.api.problems import unexpected

_KEPT = ("retry-after", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset")


class TranslatedRoute(APIRoute):
    """What goes wrong becomes a problem first, and is translated from there."""

    @staticmethod
    @abstractmethod
    def translated(problem: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and content of a problem's JSON in the other system's words."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await handle(request)
            except ClientDisconnect:
                raise
            except Exception as error:
                problem = await _problem_of(request, error)
                status, content = self.translated(json.loads(bytes(problem.body)))
                headers = {name: problem.headers[name] for name in _KEPT if name in problem.headers}
                return JSONResponse(content, status, headers)

        return handler


async def _problem_of(request: Request, error: Exception) -> Response:
    """As the app answers this error where nothing is translated."""
    for kind in type(error).__mro__:
        handle = request.app.exception_handlers.get(kind)
        if handle is not None:
            answer: Response = await handle(request, error)
            return answer
    return unexpected(request, error)
