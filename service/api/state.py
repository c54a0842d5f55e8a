"""What the lifespan makes and the routes use, as typed dependencies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypedDict

from fastapi import Depends, Request

from model.contract import Precision
from service.api.admission import Admission
from service.core.access import ANYBODY, Caller, Doorkeeper
from service.core.audit import AuditLog
from service.core.census import Census
from service.core.core import Core
from service.settings import Settings


@dataclass(frozen=True)
class Running:
    """The service at work, for one caller.

    Attributes:
        doorkeeper: None where no key is asked for.
        caller: Who asks; `core` is bound to its collection.
        audit: Where it is written down; None where nothing is.
        request_id: As in the answer's header.
        census: By which models the references are; None where that cannot be told.
    """

    core: Core
    settings: Settings
    runtime: str
    precision: Precision
    admission: Admission
    doorkeeper: Doorkeeper | None = None
    caller: Caller = ANYBODY
    audit: AuditLog | None = None
    request_id: str | None = None
    census: Census | None = None

    @property
    def sees_scores(self) -> bool:
        return not (self.settings.hide_scores and self.caller.only_verifies)


@dataclass
class AtWork:
    """The service as it is now: another one once its model was changed.

    A request looks here once, and is answered by what it found.
    """

    running: Running


class State(TypedDict):
    """The lifespan's state, reached through `request.state`."""

    at_work: AtWork


def running(request: Request) -> Running:
    found: AtWork = request.state.at_work
    return found.running


async def _running(request: Request) -> Running:
    # Asynchronous, or FastAPI would fetch it in a thread.
    return running(request)


RunningDep = Annotated[Running, Depends(_running)]
