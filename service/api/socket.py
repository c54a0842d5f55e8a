"""The way of a stream of frames: let in, asked for its first message, told what is wrong.

The key is in the first message, never in the address: addresses end up in logs.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Set
from dataclasses import replace
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from fastapi import WebSocket
from pydantic import BaseModel, ValidationError
from pydantic_core import from_json, to_json
from starlette.websockets import WebSocketDisconnect

from model.errors import Overloaded, SemblanceError
from service.api.access import admitted_by
from service.api.problems import INTERNAL, TABLE, content_of, logger
from service.api.state import AtWork, Running
from service.core.errors import InvalidRequest, MissingKey

First = TypeVar("First", bound=BaseModel)
Answer = TypeVar("Answer")

_HELLO_S: Final = 10.0
_HELLO_BYTES: Final = 4096
_REST_S: Final = 0.1
"""After a frame that nobody had time for."""
_POLICY, _INTERNAL, _LATER = 1008, 1011, 1013


async def in_a_stream(
    socket: WebSocket, work: Callable[[WebSocket, Running], Awaitable[None]]
) -> None:
    """Does the work of a stream in one of the places that there are, and closes it."""
    at_work: AtWork = socket.state.at_work
    running = replace(at_work.running, request_id=uuid.uuid4().hex)
    if not _may_ask(socket, running.settings.cors_origins):
        await socket.close(_POLICY)  # before it is accepted: HTTP's 403
        return
    await socket.accept()
    try:
        with running.admission.stream(running.settings.max_streams):
            await work(socket, running)
        await socket.close()
    except WebSocketDisconnect:
        return
    except Exception as error:
        await _say_problem(socket, running, error)


async def first_message(
    socket: WebSocket, kind_of: Callable[[Set[str]], type[First]], such_as: str
) -> First:
    """The first message, of one kind among several.

    Args:
        kind_of: Which it is, by the names in it: a union's errors would be of all kinds.
        such_as: One that would do, to be shown.

    Raises:
        InvalidRequest, WebSocketDisconnect
    """
    try:
        async with asyncio.timeout(_HELLO_S):
            message = await socket.receive()
    except TimeoutError as error:
        raise InvalidRequest(f"the first message did not come within {_HELLO_S:g} s") from error
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message.get("code", 1000))
    text = message.get("text")
    if text is None or len(text) > _HELLO_BYTES:
        raise InvalidRequest(
            f"the first message is a JSON object such as {such_as}, of at most "
            f"{_HELLO_BYTES} characters"
        )
    try:
        return kind_of(_names(text)).model_validate_json(text)
    except ValidationError as error:
        # Without what was given: it may hold a key.
        said = (
            f"{'.'.join(map(str, item['loc'])) or 'the message'}: {item['msg']}"
            for item in error.errors(include_input=False, include_url=False)
        )
        raise InvalidRequest("; ".join(said)) from None


def _names(text: str) -> Set[str]:
    try:
        found = from_json(text)
    except ValueError:
        return frozenset()
    return found.keys() if isinstance(found, dict) else frozenset()


async def admitted(socket: WebSocket, running: Running, key: str | None) -> Running:
    """The service as the key of a first message sees it; raises as `admitted_by`."""
    if running.doorkeeper is None:
        return running
    if not key:
        raise MissingKey("send a key as `key` in the first message")
    return await admitted_by(key, running, "verify", socket.state)


async def in_turn(socket: WebSocket, running: Running, work: Callable[[], Answer]) -> Answer | None:
    """What `work` answers, in a thread when its turn has come; None if nobody had time.

    That is said, and a rest taken.
    """
    try:
        with running.admission.place():
            return await running.admission.run(work, _stays)
    except Overloaded as error:
        await send(socket, {"type": "busy", "code": "overloaded", "detail": str(error)})
        await asyncio.sleep(_REST_S)
        return None


async def send(socket: WebSocket, content: dict[str, Any]) -> None:
    await socket.send_text(to_json(content, inf_nan_mode="null").decode())


async def _stays() -> bool:
    """Whether the caller has gone: that is noticed between two frames."""
    return False


def _may_ask(socket: WebSocket, allowed: tuple[str, ...]) -> bool:
    """Browsers say whose page asks, and ask nobody whether it may."""
    origin = socket.headers.get("origin")
    if origin is None or origin in allowed:
        return True
    return urlsplit(origin).netloc == socket.headers.get("host")


async def _say_problem(socket: WebSocket, running: Running, error: Exception) -> None:
    kind = TABLE.get(type(error)) if isinstance(error, SemblanceError) else None
    detail = str(error)
    if kind is None:
        kind, detail = INTERNAL, "The log of the service says more under this request id."
        logger.error("request %s failed", running.request_id, exc_info=error)
    running.core.meters.problems.add(kind.code)
    content = content_of(kind, detail, running.request_id)
    if (wait_s := getattr(error, "retry_after_s", None)) is not None:
        content["retry_after_s"] = wait_s
    code = _LATER if kind.retry else _INTERNAL if kind.status >= 500 else _POLICY
    try:
        await send(socket, {**content, "type": "problem"})
        await socket.close(code)
    except (WebSocketDisconnect, RuntimeError):
        return  # nobody is left to hear it
