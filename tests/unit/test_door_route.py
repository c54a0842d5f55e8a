"""A route that is given the request as it is must not want anything else."""

from __future__ import annotations

import pytest
from fastapi import APIRouter, Request, Response

from service.api.door import DoorRoute


def test_a_parameter_that_nobody_would_fill_is_noticed_at_once() -> None:
    router = APIRouter(route_class=DoorRoute)

    async def whole(request: Request) -> Response:
        return Response()

    async def more(request: Request, limit: int = 1) -> Response:
        return Response()

    router.add_api_route("/whole", whole)
    with pytest.raises(TypeError, match="/more takes more than the request"):
        router.add_api_route("/more", more)
