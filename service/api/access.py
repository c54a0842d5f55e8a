"""Who may come in: the key of a request, and the service as that key sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, Any

from anyio import to_thread
from fastapi import Depends, Request

from service.api.state import Running, running
from service.core.access import ApiKey, Scope, caller_of
from service.core.errors import MissingKey, MissingScope


async def admitted(request: Request, scope: Scope) -> Running:
    """The service at work on the collection of the request's key, and on no other.

    Raises:
        MissingKey, WrongKey, MissingScope, RateLimited
    """
    at_work = replace(running(request), request_id=request.state.request_id)
    keeper = at_work.doorkeeper
    if keeper is None:
        return at_work
    return await admitted_by(_key_text(request), at_work, scope, request.state)


async def admitted_by(text: str, at_work: Running, scope: Scope, state: Any) -> Running:
    """The same for the text of a key, by the service's doorkeeper."""
    keeper = at_work.doorkeeper
    assert keeper is not None
    key = keeper.known(text)
    if key is None:
        key = await to_thread.run_sync(keeper.recognise, text)
    return admitted_as(key, at_work, scope, state)


def admitted_as(key: ApiKey, at_work: Running, scope: Scope, state: Any) -> Running:
    """The same for a key that was recognised.

    Args:
        state: Of the connection: is told the key's id, and what is left to it.

    Raises:
        MissingScope, RateLimited
    """
    keeper = at_work.doorkeeper
    assert keeper is not None
    caller = caller_of(key)
    state.key_id = caller.key_id
    if not caller.may(scope):
        raise MissingScope(f"this takes a key with the scope '{scope}'")
    allowance = keeper.count(key)
    if allowance is not None:
        state.allowance = allowance
    core = at_work.core.within(caller.collection)
    return replace(at_work, core=core, caller=caller)


def _key_text(request: Request) -> str:
    """From a header, never from the address: addresses end up in logs."""
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        text = request.headers.get("x-api-key", "")
    if not text.strip():
        raise MissingKey("send a key as `Authorization: Bearer KEY` or as `X-API-Key: KEY`")
    return text.strip()


def _dependency(scope: Scope) -> Callable[[Request], Awaitable[Running]]:
    async def admit(request: Request) -> Running:
        return await admitted(request, scope)

    return admit


Verifying = Annotated[Running, Depends(_dependency("verify"))]
Enrolling = Annotated[Running, Depends(_dependency("enroll"))]
Watching = Annotated[Running, Depends(_dependency("metrics"))]
Administering = Annotated[Running, Depends(_dependency("admin"))]
