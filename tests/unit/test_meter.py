"""Rates and quotas, with a clock that is set by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from service.core.access import ApiKey
from service.core.errors import RateLimited
from service.security.meter import Meter

NOON = datetime(2030, 5, 1, 12, tzinfo=UTC)


class Sums:
    """What a store adds up; shared by processes."""

    def __init__(self) -> None:
        self.of: dict[tuple[str, str], int] = {}

    def count_requests(self, key_id: str, day: str, requests: int) -> int:
        self.of[key_id, day] = self.of.get((key_id, day), 0) + requests
        return self.of[key_id, day]

    def add_key(self, key: ApiKey) -> None:
        raise NotImplementedError

    def key(self, key_id: str) -> ApiKey | None:
        raise NotImplementedError

    def all_keys(self) -> list[ApiKey]:
        raise NotImplementedError

    def revoke_key(self, key_id: str, at: datetime) -> bool:
        raise NotImplementedError


class Time:
    now = NOON

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()

    def pass_s(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def key(rate: int | None = None, quota: int | None = None, key_id: str = "k") -> ApiKey:
    return ApiKey(key_id, "", "", frozenset(), "c", NOON, rate_per_minute=rate, quota_per_day=quota)


def meter(time: Time, sums: Sums | None = None) -> Meter:
    return Meter(sums or Sums(), time.seconds, time)


def refused_for_s(counted: Meter, of: ApiKey) -> int:
    with pytest.raises(RateLimited) as raised:
        counted.count(of)
    assert raised.value.allowance[1] == 0
    return raised.value.retry_after_s


def test_a_rate_fills_evenly_and_holds_a_minute() -> None:
    time = Time()
    counted = meter(time)
    for left in (3, 2, 1, 0):
        found = counted.count(key(rate=4))
        assert found is not None
        assert (found.limit, found.remaining) == (4, left)
    assert refused_for_s(counted, key(rate=4)) == 15
    time.pass_s(14)
    assert refused_for_s(counted, key(rate=4)) == 1
    time.pass_s(1)
    counted.count(key(rate=4))
    refused_for_s(counted, key(rate=4))
    # After a long time there is a minute's worth, not more.
    time.pass_s(10_000)
    for _ in range(4):
        counted.count(key(rate=4))
    refused_for_s(counted, key(rate=4))
    # Another key has its own.
    assert counted.count(key(rate=4, key_id="other")) is not None
    assert counted.count(key()) is None


def test_a_quota_is_of_a_day_and_of_all_processes() -> None:
    time, sums = Time(), Sums()
    one, other = meter(time, sums), meter(time, sums)
    for _ in range(3):
        one.count(key(quota=5))
    one.settle()
    assert sums.of == {("k", "2030-05-01"): 3}
    for _ in range(2):
        other.count(key(quota=5))
    assert refused_for_s(other, key(quota=5)) == 12 * 3600
    other.settle()
    # The first process learns of it when it settles next.
    one.count(key(quota=5))
    one.settle()
    refused_for_s(one, key(quota=5))
    assert sums.of == {("k", "2030-05-01"): 6}
    time.pass_s(12 * 3600)
    found = one.count(key(quota=5))
    assert found is not None
    assert found.remaining == 4


def test_a_clock_that_is_set_to_another_day_and_back_gives_no_request_back() -> None:
    time, sums = Time(), Sums()
    counted = meter(time, sums)
    for _ in range(3):
        counted.count(key(quota=3))
    time.pass_s(24 * 3600)
    counted.count(key(quota=3))
    time.pass_s(-24 * 3600)
    refused_for_s(counted, key(quota=3))
    counted.settle()
    assert sums.of == {("k", "2030-05-01"): 3, ("k", "2030-05-02"): 1}
    refused_for_s(counted, key(quota=3))


def test_the_nearer_of_two_bounds_is_told() -> None:
    time = Time()
    counted = meter(time)
    both = key(rate=100, quota=3)
    found = counted.count(both)
    assert found is not None
    assert (found.limit, found.remaining, found.reset_s) == (3, 2, 12 * 3600)
    found = counted.count(key(rate=2, quota=1000, key_id="x"))
    assert found is not None
    assert (found.limit, found.remaining, found.reset_s) == (2, 1, 30)
