"""How long a body may take, on a real event loop."""

from __future__ import annotations

import asyncio

import pytest

from service.api.arrival import BYTES_PER_S, Arrival, RequestTimeout

pytestmark = pytest.mark.anyio
LIMIT_S = 0.1


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def spent(arrival: Arrival, *pieces: int) -> float:
    """Seconds until it is told that it takes too long, when it sends no more than this."""
    loop = asyncio.get_running_loop()
    begun = loop.time()

    async def send() -> None:
        async with arrival.in_time():
            for piece in pieces:
                arrival.add(piece)
            await asyncio.sleep(10)

    with pytest.raises(RequestTimeout, match=f"{sum(pieces)} bytes"):
        await send()
    return loop.time() - begun


async def test_who_sends_nothing_has_the_limit() -> None:
    assert LIMIT_S <= await spent(Arrival(LIMIT_S)) < LIMIT_S + 1


async def test_bytes_earn_time() -> None:
    earned = 0.3
    arrival = Arrival(LIMIT_S)
    took = await spent(arrival, *[round(earned * BYTES_PER_S / 3)] * 3)
    assert LIMIT_S + 0.9 * earned < took < LIMIT_S + earned + 1
    assert arrival.received_bytes == pytest.approx(earned * BYTES_PER_S, abs=3)


async def test_who_is_done_in_time_hears_nothing() -> None:
    arrival = Arrival(LIMIT_S)
    async with arrival.in_time():
        arrival.add(1)
    await asyncio.sleep(2 * LIMIT_S)
    assert not arrival.is_slow


async def test_slow_is_who_lags_behind_after_a_while() -> None:
    slow, quick = Arrival(60, grace_s=0.05), Arrival(60, grace_s=0.05)
    assert not slow.is_slow

    async def send(arrival: Arrival, count: int) -> None:
        async with arrival.in_time():
            arrival.add(count)
            await asyncio.sleep(10)

    tasks = [asyncio.create_task(send(slow, 1)), asyncio.create_task(send(quick, 1 << 20))]
    await asyncio.sleep(0)
    assert not slow.is_slow
    await asyncio.sleep(0.1)
    assert slow.is_slow
    assert not quick.is_slow
    slow.end()
    with pytest.raises(RequestTimeout):
        await tasks[0]
    # Once is enough: it is no longer there to be sent away.
    assert not slow.is_slow
    tasks[1].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[1]


async def test_leaving_is_no_time_out() -> None:
    """What ends the reading otherwise comes through as it is."""
    with pytest.raises(ZeroDivisionError):
        async with Arrival(LIMIT_S).in_time():
            raise ZeroDivisionError
