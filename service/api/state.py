"""What the lifespan makes and the routes use, as typed dependencies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypedDict

from fastapi import Depends, Request

from model.contract import Precision
from service.api.admission import Admission
from service.core.core import Core
from service.settings import Settings


@dataclass(frozen=True)
class Running:
    """The service at work."""

    core: Core
    settings: Settings
    runtime: str
    precision: Precision
    admission: Admission


class State(TypedDict):
    """The lifespan's state, reached through `request.state`."""

    running: Running


def running(request: Request) -> Running:
    found: Running = request.state.running
    return found


async def _running(request: Request) -> Running:
    # Asynchronous, or FastAPI would fetch it in a thread.
    return running(request)


RunningDep = Annotated[Running, Depends(_running)]
