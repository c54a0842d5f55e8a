"""What the lifespan makes and the routes use, as typed dependencies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated, TypedDict

from fastapi import Depends, Request

from service.core.core import Core
from service.core.errors import Overloaded
from service.settings import Settings


@dataclass
class Admission:
    """Counts the image requests in work or waiting; refuses beyond a limit.

    Used on the event loop alone, so a plain number is enough.
    """

    limit: int
    in_flight: int = field(default=0, init=False)

    def enter(self) -> None:
        """Raises Overloaded when the limit is reached."""
        if self.in_flight >= self.limit:
            raise Overloaded("too many requests at once; try again in a second")
        self.in_flight += 1

    def leave(self) -> None:
        self.in_flight -= 1


@dataclass(frozen=True)
class Running:
    """The service at work."""

    core: Core
    settings: Settings
    runtime: str
    admission: Admission


class State(TypedDict):
    """The lifespan's state, reached through `request.state`."""

    running: Running


def running(request: Request) -> Running:
    found: Running = request.state.running
    return found


async def admitted(request: Request) -> AsyncIterator[None]:
    """Holds one of the admitted places until the answer is made."""
    admission = running(request).admission
    admission.enter()
    try:
        yield
    finally:
        admission.leave()


RunningDep = Annotated[Running, Depends(running)]
