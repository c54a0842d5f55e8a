"""How many requests a key has made: a rate per minute, a quota per day.

The rate is a bucket that fills evenly and holds a minute's worth, kept by each
process. The quota is the sum over all processes: counts are added to the store now
and then (`settle`), so that a key may overrun it by what the processes count in the
meantime, and a restart forgets nothing that was settled.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from service.core.access import Allowance, ApiKey, KeyStore
from service.core.errors import RateLimited

_MINUTE_S = 60.0


@dataclass
class _Count:
    """Of one key.

    Attributes:
        fresh: Requests by day that the store does not have yet. Those of another day
            are kept, too: the clock may be set back to it.
    """

    tokens: float
    at: float
    day: str = ""
    settled: int = 0
    fresh: dict[str, int] = field(default_factory=dict)


class Meter:
    """Counts requests by key; any thread may use it.

    Args:
        clock: Seconds that never go back.
        now: The time of day, UTC.
    """

    def __init__(
        self,
        store: KeyStore,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._clock, self._now = clock, now
        self._lock = threading.Lock()
        self._settling = threading.Lock()
        self._counts: dict[str, _Count] = {}

    def count(self, key: ApiKey) -> Allowance | None:
        """Counts one request; None if the key has no bound.

        Raises:
            RateLimited: If it has none left. Such a request is not counted.
        """
        if key.rate_per_minute is None and key.quota_per_day is None:
            return None
        with self._lock:
            count = self._count_of(key)
            quota_left = self._quota_left(key, count)
            if quota_left is not None and quota_left < 1:
                wait_s = self._until_tomorrow_s()
                assert key.quota_per_day is not None
                raise RateLimited(
                    f"the key's {key.quota_per_day} requests of today are used up",
                    wait_s,
                    (key.quota_per_day, 0, wait_s),
                )
            rate = key.rate_per_minute
            if rate is not None:
                if count.tokens < 1:
                    wait_s = math.ceil((1 - count.tokens) * _MINUTE_S / rate)
                    raise RateLimited(
                        f"the key may make {rate} requests a minute", wait_s, (rate, 0, wait_s)
                    )
                count.tokens -= 1
            if quota_left is not None:
                count.fresh[count.day] = count.fresh.get(count.day, 0) + 1
            return self._allowance(key, count, quota_left)

    def settle(self) -> None:
        """Adds what was counted to the store, and learns what other processes counted."""
        with self._settling:
            with self._lock:
                due = [
                    (key_id, count, day, fresh)
                    for key_id, count in self._counts.items()
                    for day, fresh in count.fresh.items()
                ]
            for key_id, count, day, fresh in due:
                total = self._store.count_requests(key_id, day, fresh)
                with self._lock:
                    count.fresh[day] -= fresh
                    if not count.fresh[day]:
                        del count.fresh[day]
                    if count.day == day:
                        count.settled = total

    def _count_of(self, key: ApiKey) -> _Count:
        now = self._clock()
        rate = key.rate_per_minute or 0
        count = self._counts.get(key.key_id)
        if count is None:
            count = self._counts[key.key_id] = _Count(float(rate), now)
        count.tokens = min(float(rate), count.tokens + (now - count.at) * rate / _MINUTE_S)
        count.at = now
        return count

    def _quota_left(self, key: ApiKey, count: _Count) -> int | None:
        if key.quota_per_day is None:
            return None
        today = self._now().strftime("%Y-%m-%d")
        if count.day != today:
            count.day = today
            count.settled = self._store.count_requests(key.key_id, today, 0)
        return key.quota_per_day - count.settled - count.fresh.get(today, 0)

    def _allowance(self, key: ApiKey, count: _Count, quota_left: int | None) -> Allowance:
        found = []
        if key.rate_per_minute is not None:
            rate = key.rate_per_minute
            full_s = math.ceil((rate - count.tokens) * _MINUTE_S / rate)
            found.append(Allowance(rate, int(count.tokens), full_s))
        if key.quota_per_day is not None and quota_left is not None:
            found.append(Allowance(key.quota_per_day, quota_left - 1, self._until_tomorrow_s()))
        return min(found, key=lambda one: one.remaining)

    def _until_tomorrow_s(self) -> int:
        now = self._now()
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return math.ceil((midnight - now).total_seconds())
