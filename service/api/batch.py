"""Many requests in one: a line of NDJSON for each, and a line of the answer for each.

    lines ──> items, a few at a time ──> answers in order ──> caller

Each item waits for its turn among all other requests (service.api.admission), so a batch
takes the place of nobody, and what is wrong with one item is said in its line. Neither
side is held whole: no line is read while enough items are in work, and no item is
begun while more than `_MOST_WAITING` bytes of answers wait for a caller who reads
none. One who sends all before it reads anything is served as long as they fit there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import ExitStack
from typing import Final

from anyio import to_thread
from fastapi import Request
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from model.errors import Overloaded
from service.api.access import admitted
from service.api.batch_items import Item, Work
from service.api.documented import NDJSON
from service.api.lines import Lines
from service.api.problems import BodyTooLarge
from service.api.state import Running
from service.core.access import Scope as KeyScope

_MOST_WAITING: Final = 32 * 2**20
"""Bytes of answers that the caller has not taken."""
_AGAIN_S: Final = 0.1


async def begun(
    request: Request,
    scope: KeyScope,
    kind: type[BaseModel],
    work: Work,
    *,
    repeated: str | None = None,
    status_code: int = 200,
) -> StreamingResponse:
    """The answer to a batch whose first item has come.

    Args:
        kind, work, repeated, status_code: Of a single request; see service.api.door.

    Raises:
        MissingKey, WrongKey, MissingScope, RateLimited, Overloaded, HTTPException
        RequestTimeout: If nothing came.
    """
    at_work = await admitted(request, scope)
    settings = at_work.settings
    lines = Lines(request, settings.max_body_bytes, settings.receive_timeout_s)
    with ExitStack() as held:
        held.enter_context(at_work.admission.batch(settings.max_batches))
        item = Item(kind, work, at_work, repeated, status_code)
        batch = _Batch(request, at_work, lines, item)
        await batch.await_first()
        batch.held = held.pop_all()
    return batch


class _Batch(StreamingResponse):
    """Reads, works and answers at the same time."""

    def __init__(self, request: Request, running: Running, lines: Lines, item: Item) -> None:
        super().__init__(iter(()), media_type=NDJSON)
        self.held = ExitStack()
        self._request, self._running = request, running
        self._lines, self._item = lines, item
        self._first: bytes | Exception | None = None
        self._broken = False
        # Two that work and one that is ready for each core would idle none of them.
        most = max(2, running.admission.workers // 2)
        self._free = asyncio.Semaphore(most)
        self._items: asyncio.Queue[asyncio.Task[bytes] | None] = asyncio.Queue()
        self._answers: deque[bytes] = deque()
        self._answer_bytes = 0
        self._changed = asyncio.Condition()
        self._all_read = self._all_answered = False

    async def await_first(self) -> None:
        """Until there is an item. Raises HTTPException if there is none."""
        while True:
            try:
                line = await self._lines.take()
            except BodyTooLarge as error:
                self._first = error
                return
            if line is None:
                raise HTTPException(400, "the body has no item; send one JSON object a line")
            if line.strip():
                self._first = line
                return

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self.held:
            left = False
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(self._read(group))
                    group.create_task(self._collect())
                    await self._write(send)
            except* (ClientDisconnect, TimeoutError):
                left = True
            if left:
                raise ClientDisconnect

    async def _read(self, group: asyncio.TaskGroup) -> None:
        """Begins an item for each line, a few at a time."""
        most = self._running.settings.max_batch_items
        index, seen = 0, 0
        line, self._first = self._first, None
        while line is not None:
            seen += 1
            if seen > most:
                line = BodyTooLarge(f"at most {most} lines are accepted in one batch")
            if isinstance(line, Exception) or line.strip():
                await self._free.acquire()
                if index and not isinstance(line, Exception):
                    # The first is the request that came in at the door.
                    line = await self._counted(line)
                await self._items.put(group.create_task(self._answer(index, line)))
                index += 1
            if seen > most:
                break
            line = await self._next()
        self._all_read = line is None
        await self._items.put(None)

    async def _counted(self, line: bytes) -> bytes | Exception:
        """Here and not where they are worked on: so it is the last that are too many."""
        try:
            await to_thread.run_sync(self._item.count)
        except Exception as error:  # one bad item spoils no other
            return error
        return line

    async def _next(self) -> bytes | Exception | None:
        """None behind the last; one that came too slowly is the last."""
        if self._broken:
            return None
        try:
            return await self._lines.take()
        except BodyTooLarge as error:
            return error
        except ClientDisconnect:
            raise
        except Exception as error:
            self._broken = True
            return error

    async def _answer(self, index: int, line: bytes | Exception) -> bytes:
        if isinstance(line, Exception):
            return self._item.failed(index, None, line)
        begun = False

        def work() -> bytes:
            nonlocal begun
            begun = True
            return self._item.answered(index, line)

        while True:
            try:
                return await self._running.admission.run(work, self._has_gone)
            except Overloaded as error:
                # It is the batch that waits, not those who send one picture.
                if begun:
                    return self._item.failed(index, None, error)
                await asyncio.sleep(_AGAIN_S)

    async def _has_gone(self) -> bool:
        # Before the end, what is asked for would be the next piece of the body.
        return self._all_read and await self._request.is_disconnected()

    async def _collect(self) -> None:
        """Answers in the order of their items; waits while the caller takes none."""
        while (task := await self._items.get()) is not None:
            answer = await task
            async with self._changed, asyncio.timeout(self._running.settings.receive_timeout_s):
                await self._changed.wait_for(lambda: self._answer_bytes < _MOST_WAITING)
            self._free.release()
            if await self._has_gone():
                raise ClientDisconnect
            await self._put(answer)
        self._all_answered = True
        await self._put(b"")

    async def _put(self, answer: bytes) -> None:
        async with self._changed:
            self._answers.append(answer)
            self._answer_bytes += len(answer)
            self._changed.notify_all()

    async def _write(self, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": 200, "headers": list(self.raw_headers)}
        )
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._answers)
                body = b"".join(self._answers)
                self._answers.clear()
                self._answer_bytes -= len(body)
                last = self._all_answered
                self._changed.notify_all()
            await send({"type": "http.response.body", "body": body, "more_body": not last})
            if last:
                return
