"""Places and turns of image requests, on a real event loop with real threads."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from starlette.requests import ClientDisconnect

from model.caller import current_caller
from model.errors import Overloaded
from service.api.admission import Admission

SOON_S = 10
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def here() -> bool:
    return False


async def gone() -> bool:
    return True


@asynccontextmanager
async def admission(
    limit: int = 9, workers: int = 1, wait_s: float = SOON_S
) -> AsyncIterator[Admission]:
    made = Admission(limit, workers, wait_s)
    try:
        yield made
    finally:
        made.close()


class Gate:
    """Work that goes on until it is opened."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.begun: list[str] = []

    def work(self, name: str) -> Callable[[], str]:
        def run() -> str:
            self.begun.append(name)
            assert self.open.wait(SOON_S)
            return name

        return run


async def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not come to that")


async def test_a_place_is_held_and_given_back() -> None:
    async with admission(limit=2) as house:
        with house.place(), house.place():
            with pytest.raises(Overloaded), house.place():
                pass
            assert house.in_flight == 2
        with pytest.raises(ZeroDivisionError), house.place():
            raise ZeroDivisionError
        assert house.in_flight == 0


async def test_turns_come_in_order_and_never_more_at_once_than_workers() -> None:
    gate = Gate()
    async with admission(workers=2) as house:
        tasks = []
        for name in "abcdef":
            tasks.append(asyncio.create_task(house.run(gate.work(name), here)))
            await asyncio.sleep(0)
        await until(lambda: len(gate.begun) == 2)
        await asyncio.sleep(0.05)
        assert sorted(gate.begun) == ["a", "b"]
        gate.open.set()
        assert await asyncio.gather(*tasks) == list("abcdef")
        assert sorted(gate.begun[2:4]) == ["c", "d"]
        await until(lambda: house.in_work == 0)


async def test_who_waits_too_long_is_refused_and_the_work_not_begun() -> None:
    gate = Gate()
    async with admission(wait_s=0.05) as house:
        first = asyncio.create_task(house.run(gate.work("first"), here))
        await until(lambda: gate.begun == ["first"])
        for _ in range(3):
            with pytest.raises(Overloaded):
                await house.run(gate.work("late"), here)
        gate.open.set()
        assert await first == "first"
        assert await house.run(gate.work("next"), here) == "next"
        assert gate.begun == ["first", "next"]
        await until(lambda: house.in_work == 0)


async def test_a_line_that_is_too_long_is_refused_at_the_door() -> None:
    gate = Gate()
    async with admission(wait_s=0.25) as house:
        house.mean_work_s = 0.1
        with house.place():  # a worker is free, so there is no line
            assert house.expected_wait_s == 0
        tasks = []
        for name in "abc":
            with house.place():
                tasks.append(asyncio.create_task(house.run(gate.work(name), here)))
            await asyncio.sleep(0)
        with pytest.raises(Overloaded), house.place():
            pass
        assert house.expected_wait_s == pytest.approx(0.3)
        gate.open.set()
        await asyncio.gather(*tasks)
        await until(lambda: house.in_work == 0)
        with house.place():
            pass


async def test_the_mean_follows_what_the_work_takes() -> None:
    async with admission() as house:
        for _ in range(60):
            await house.run(lambda: threading.Event().wait(0.01), here)
        assert 0.009 < house.mean_work_s < 0.1


async def test_a_caller_who_left_while_waiting_is_skipped() -> None:
    gate = Gate()
    async with admission() as house:
        first = asyncio.create_task(house.run(gate.work("first"), gone))
        await until(lambda: gate.begun == ["first"])
        left = asyncio.create_task(house.run(gate.work("left"), gone))
        await asyncio.sleep(0)
        last = asyncio.create_task(house.run(gate.work("last"), here))
        await asyncio.sleep(0)
        gate.open.set()
        with pytest.raises(ClientDisconnect):
            await left
        assert (await first, await last) == ("first", "last")
        assert gate.begun == ["first", "last"]


async def test_a_cancelled_caller_frees_its_worker_only_when_the_thread_ends() -> None:
    gate = Gate()
    async with admission() as house:
        first = asyncio.create_task(house.run(gate.work("first"), here))
        await until(lambda: gate.begun == ["first"])
        waiting = asyncio.create_task(house.run(gate.work("waiting"), here))
        last = asyncio.create_task(house.run(gate.work("last"), here))
        await asyncio.sleep(0)
        for task in (first, waiting):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        await asyncio.sleep(0.05)
        assert (house.in_work, gate.begun) == (1, ["first"])
        gate.open.set()
        assert await last == "last"
        assert gate.begun == ["first", "last"]
        await until(lambda: house.in_work == 0)


async def test_work_knows_how_long_its_caller_waits_and_whether_it_has_left() -> None:
    left = threading.Event()

    async def has_gone() -> bool:
        return left.is_set()

    def work() -> tuple[float, bool]:
        caller = current_caller()
        assert not caller.has_left
        left.set()
        for _ in range(1000):
            if caller.has_left:
                break
            threading.Event().wait(0.005)
        return caller.patience_s, caller.has_left

    house = Admission(9, 1, 3.0, watched=True)
    try:
        assert await house.run(work, has_gone) == (3.0, True)
    finally:
        house.close()


async def test_work_of_a_cancelled_caller_is_told_so() -> None:
    gate, found = Gate(), []

    def work() -> None:
        caller = current_caller()
        gate.work("first")()
        found.append(caller.has_left)

    house = Admission(9, 1, 3.0, watched=True)
    try:
        first = asyncio.create_task(house.run(work, here))
        await until(lambda: gate.begun == ["first"])
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        gate.open.set()
        await until(lambda: found == [True])
    finally:
        house.close()


async def test_a_fault_of_the_work_reaches_the_caller_and_frees_the_worker() -> None:
    def fail() -> None:
        raise KeyError("fault")

    async with admission() as house:
        for _ in range(3):
            with pytest.raises(KeyError, match="fault"):
                await house.run(fail, here)
        await until(lambda: house.in_work == 0)
