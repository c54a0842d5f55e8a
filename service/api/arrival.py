"""A request's body on its way: how long it may take, and when it is too slow.

    last moment = begun + limit_s + bytes received / 16 KiB a second

So a large picture over a poor line arrives, and who sends a byte now and then is
refused. When every place is taken, who falls behind that rate from the third
second on makes room for a newcomer at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from model.errors import SemblanceError

BYTES_PER_S: Final = 16 * 1024


class RequestTimeout(SemblanceError):
    """The request came too slowly; known to the API alone."""


class Arrival:
    """The body of one request; used on the event loop alone.

    Args:
        limit_s: How long it may take, beside what its bytes earn it.
        grace_s: How long it is not told slow: a line must first come up to its speed.
        receiving: Where it is for as long as its body is read.
    """

    def __init__(
        self,
        limit_s: float,
        grace_s: float = 2.0,
        receiving: set[Arrival] | None = None,
    ) -> None:
        self.received_bytes = 0
        self._limit_s = limit_s
        self._grace_s = grace_s
        self._loop = asyncio.get_running_loop()
        self._begun = self._loop.time()
        self._timeout: asyncio.Timeout | None = None
        self._receiving = set() if receiving is None else receiving

    @asynccontextmanager
    async def in_time(self) -> AsyncIterator[None]:
        """Within it the body is read. Raises RequestTimeout when it takes too long."""
        self._receiving.add(self)
        try:
            async with asyncio.timeout_at(self._last_moment) as self._timeout:
                yield
        except TimeoutError as error:
            raise RequestTimeout(
                f"the body did not arrive in time; {self.received_bytes} bytes of it did"
            ) from error
        finally:
            self._timeout = None
            self._receiving.discard(self)

    def add(self, count: int) -> None:
        """So many bytes have come; within `in_time`."""
        self.received_bytes += count
        assert self._timeout is not None
        if not self._timeout.expired():
            self._timeout.reschedule(self._last_moment)

    @property
    def bytes_per_s(self) -> float:
        """Since the beginning."""
        return self.received_bytes / max(self._age_s, 1e-6)

    @property
    def is_slow(self) -> bool:
        """Whether its place should be given to another who waits at the door."""
        return (
            self._timeout is not None
            and not self._timeout.expired()
            and self._age_s > self._grace_s
            and self.bytes_per_s < BYTES_PER_S
        )

    def end(self) -> None:
        """Lets `in_time` raise now; only one that `is_slow`."""
        assert self._timeout is not None
        self._timeout.reschedule(self._loop.time())

    @property
    def _age_s(self) -> float:
        return self._loop.time() - self._begun

    @property
    def _last_moment(self) -> float:
        return self._begun + self._limit_s + self.received_bytes / BYTES_PER_S
