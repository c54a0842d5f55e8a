"""Who may come in, and whose turn it is: a bounded number of image requests.

    refused at once       beyond `limit` requests in the house, or when the turn would
                          not come within `wait_s`, as far as can be told
    sent away             whose body comes too slowly, when a place is needed
    refused after a wait  whose turn has not come within `wait_s` all the same
    skipped               whose caller has gone by then

At most `workers` requests are in work, each in a thread; the others wait in the
order they came in. So what is let in is answered in a bounded time, and work
that nobody waits for any more is not done.

    expected wait = (requests waiting + 1) * mean time in work / workers
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, Literal, TypeVar

from starlette.requests import ClientDisconnect

from model.caller import Caller, working_for
from model.errors import Overloaded
from service.api.arrival import Arrival

Answer = TypeVar("Answer")

Refusal = Literal["full", "long_line", "waited", "streams", "slow"]
"""Why one is refused: no place; the turn would not come in time; it did not; no place for
a stream; the body came too slowly when the place was needed."""

_WEIGHT: Final = 0.1
"""Of the latest request in the mean time in work."""

_LOOK_S: Final = 0.05
"""Between two looks whether a caller is still there."""


class Admission:
    """Places and turns; used on the event loop alone, so plain numbers are enough.

    Args:
        limit: Requests in work or waiting, also for the rest of their body.
        workers: Requests in work at once.
        wait_s: How long a request may wait for its turn.
        receive_s: How long its body may take to arrive; see service.api.arrival.
        watched: Whether to see, while a request is in work, that its caller leaves: for work
            that waits for the model then.
    """

    def __init__(
        self,
        limit: int,
        workers: int,
        wait_s: float,
        receive_s: float = 30.0,
        *,
        watched: bool = False,
    ) -> None:
        self.limit = limit
        self.workers = workers
        self.wait_s = wait_s
        self.receive_s = receive_s
        self.watched = watched
        self.in_flight = 0
        self.in_work = 0
        self.streams = 0
        self.batches = 0
        self.mean_work_s = 0.0
        self.refused: Counter[Refusal] = Counter()
        self._arrivals: set[Arrival] = set()
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="image")

    @contextmanager
    def place(self) -> Iterator[Arrival]:
        """Holds a place. Raises Overloaded if none is left or the line is too long."""
        if self.expected_wait_s > self.wait_s:
            raise self._refusal("long_line")
        if not self._has_room():
            raise self._refusal("full")
        self.in_flight += 1
        try:
            yield Arrival(self.receive_s, receiving=self._arrivals)
        finally:
            self.in_flight -= 1

    @contextmanager
    def stream(self, most: int) -> Iterator[None]:
        """Holds one of the places of streams. Raises Overloaded if none is left."""
        if self.streams >= most:
            self.refused["streams"] += 1
            raise Overloaded("too many streams at once; try again in a second")
        self.streams += 1
        try:
            yield
        finally:
            self.streams -= 1

    @contextmanager
    def batch(self, most: int) -> Iterator[None]:
        """Holds one of the places of batches. Raises Overloaded if none is left."""
        if self.batches >= most:
            raise Overloaded("too many batches at once; try again when one has ended")
        self.batches += 1
        try:
            yield
        finally:
            self.batches -= 1

    @property
    def waiting(self) -> int:
        """Requests whose turn has not come."""
        return len(self._waiting)

    @property
    def expected_wait_s(self) -> float:
        """Until the turn of one who would get in line now; 0 while a worker is free."""
        if self.in_work < self.workers:
            return 0.0
        return (len(self._waiting) + 1) * self.mean_work_s / self.workers

    def several_in_work(self) -> bool:
        """Whether cores must be shared; asked from the threads that work."""
        return self.in_work > 1

    async def run(
        self, work: Callable[[], Answer], has_gone: Callable[[], Awaitable[bool]]
    ) -> Answer:
        """What `work` answers; it runs in a thread when its turn has come.

        Args:
            has_gone: Whether the caller has left; asked after a wait, and while the work is
                done if it is watched.

        Raises:
            Overloaded: If the turn did not come in time; `work` was not begun.
            ClientDisconnect: If the caller had left; likewise.
        """
        if self.in_work < self.workers:
            self.in_work += 1
        else:
            await self._turn()
            try:
                if await has_gone():
                    raise ClientDisconnect
            except BaseException:
                self._pass_on()
                raise
        loop = asyncio.get_running_loop()
        begun = loop.time()
        caller = Caller(patience_s=self.wait_s)

        def work_for_caller() -> Answer:
            with working_for(caller):
                return work()

        # With what belongs to the request, such as its trace.
        context = contextvars.copy_context()
        done = loop.run_in_executor(self._threads, context.run, work_for_caller)
        # Not when the caller's task ends: the thread is busy until it has an answer.
        done.add_done_callback(lambda ended: self._finished(ended, loop.time() - begun))
        if not self.watched:
            return await asyncio.shield(done)
        watch = asyncio.create_task(_watch(caller, has_gone))
        try:
            return await asyncio.shield(done)
        finally:
            caller.has_left = True
            watch.cancel()

    def close(self) -> None:
        """Ends the threads when they have done what they had begun."""
        self._threads.shutdown(cancel_futures=True)

    async def _turn(self) -> None:
        """Returns when a worker is free for this caller, and is taken."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        self._waiting.append(waiter)
        timer = loop.call_later(self.wait_s, self._give_up, waiter)
        try:
            await waiter
        except BaseException:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            elif waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self._pass_on()
            raise
        finally:
            timer.cancel()

    def _give_up(self, waiter: asyncio.Future[None]) -> None:
        if not waiter.done():
            self.refused["waited"] += 1
            waiter.set_exception(Overloaded("its turn did not come in time; try again in a second"))

    def _refusal(self, why: Refusal) -> Overloaded:
        self.refused[why] += 1
        return Overloaded("too many requests at once; try again in a second")

    def _has_room(self) -> bool:
        """Whether there is a place for one more; makes one if it can.

        Who is sent away still leaves when its task goes on: a moment later.
        """
        if self.in_flight < self.limit:
            return True
        slow = [arrival for arrival in self._arrivals if arrival.is_slow]
        if not slow:
            return False
        self.refused["slow"] += 1
        min(slow, key=lambda arrival: arrival.bytes_per_s).end()
        return True

    def _finished(self, done: asyncio.Future[Answer], spent_s: float) -> None:
        self.mean_work_s += _WEIGHT * (spent_s - self.mean_work_s)
        if not done.cancelled():
            done.exception()  # the caller may be gone: nobody else looks at it
        self._pass_on()

    def _pass_on(self) -> None:
        """Gives a worker that is free to the first who waits for one."""
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return
        self.in_work -= 1


async def _watch(caller: Caller, has_gone: Callable[[], Awaitable[bool]]) -> None:
    while not caller.has_left:
        await asyncio.sleep(_LOOK_S)
        caller.has_left = await has_gone()
