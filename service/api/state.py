"""What the lifespan makes and the routes use, as typed dependencies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypedDict

from fastapi import Depends, Request

from model.contract import Precision
from service.api.admission import Admission
from service.core.access import ANYBODY, Caller, Doorkeeper
from service.core.audit import AuditLog
from service.core.census import Census, GallerySize
from service.core.core import Core
from service.core.liveness.proof import Proof, proof_of
from service.core.liveness.tickets import Holder, Tickets
from service.core.sites import SiteKeys
from service.settings import Settings


@dataclass(frozen=True)
class Running:
    """The service at work, for one caller.

    Attributes:
        sites: What results for other sites are signed with.
        doorkeeper: None where no key is asked for.
        caller: Who asks; `core` is bound to its collection.
        audit: Where it is written down; None where nothing is.
        request_id: As in the answer's header.
        census: By which models the references are; None where that cannot be told.
        gallery_size: How much is enrolled; None where that cannot be told.
        tickets: Sessions and tokens of liveness; None where there are none.
    """

    core: Core
    settings: Settings
    runtime: str
    precision: Precision
    admission: Admission
    sites: SiteKeys
    doorkeeper: Doorkeeper | None = None
    caller: Caller = ANYBODY
    audit: AuditLog | None = None
    request_id: str | None = None
    census: Census | None = None
    tickets: Tickets | None = None
    gallery_size: GallerySize | None = None

    @property
    def sees_scores(self) -> bool:
        return not (self.settings.hide_scores and self.caller.only_asks)

    @property
    def holder(self) -> Holder:
        """Who may use what is made for this caller."""
        return Holder(self.caller.key_id or "", self.core.collection)

    def proof(self, identity: str, token: str | None, required: bool) -> Proof | None:
        """That somebody was live; raises as `proof_of`."""
        required = required or self.settings.require_liveness
        assert self.tickets is not None  # the app has them from its start
        return proof_of(self.tickets, self.holder, identity, token, required=required)


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
