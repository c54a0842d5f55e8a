"""Batches of what queued, on real threads: everybody is answered, and nobody by mistake."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from model.caller import Caller, current_caller, working_for
from model.errors import Overloaded
from model.runtimes.batches import Batches

SOON_S = 20


class Squares:
    """Squares whole numbers, up to four at a time, once it is let; notes its batches."""

    def __init__(self, most: int = 4) -> None:
        self.most = most
        self.batches: list[list[int]] = []
        self.threads: set[int] = set()
        self.let = threading.Event()
        self.let.set()

    def able(self, count: int) -> int:
        return min(count, self.most)

    def run(self, items: Sequence[int], thread: int) -> list[int]:
        self.batches.append(list(items))
        self.threads.add(thread)
        assert self.let.wait(SOON_S)
        if any(item < 0 for item in items):
            raise ArithmeticError(f"not {min(items)}")
        return [item * item for item in items]


@contextmanager
def running(threads: int = 1, limit: int = 256) -> Iterator[Batches]:
    made = Batches(threads, limit)
    try:
        yield made
    finally:
        made.close()


class Callers:
    """Asks from a thread for each, one after the other in the queue."""

    def __init__(self, batches: Batches, squares: Squares) -> None:
        self.batches, self.squares = batches, squares
        self.pool = ThreadPoolExecutor(40)

    def ask(self, item: int, caller: Caller | None = None, alike: str = "") -> Future[int]:
        def answer() -> int:
            with working_for(caller or Caller()):
                found: int = self.batches.answer(self.squares, alike, item)
                return found

        return self.pool.submit(answer)

    def queue(self, item: int, caller: Caller | None = None, alike: str = "") -> Future[int]:
        """As `ask`, while all threads are busy: it is in the queue when this returns."""
        before = waiting(self.batches)
        future = self.ask(item, caller, alike)
        until(lambda: waiting(self.batches) > before or future.done())
        return future


def waiting(batches: Batches) -> int:
    return len(batches._waiting)


def until(condition: Callable[[], object]) -> None:
    ends = time.monotonic() + SOON_S
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.001)


@contextmanager
def held(threads: int = 1, limit: int = 256, most: int = 4) -> Iterator[Callers]:
    """Callers of a model whose threads are all busy, until `let` is set."""
    with running(threads, limit) as batches:
        squares = Squares(most)
        squares.let.clear()
        callers = Callers(batches, squares)
        for number in range(threads):
            callers.ask(0, alike="first")
            # One by one: else a thread that is free would take two.
            until(lambda: len(squares.batches) > number)  # noqa: B023
        squares.batches.clear()
        try:
            yield callers
        finally:
            squares.let.set()
            callers.pool.shutdown()


def test_what_queued_while_the_thread_was_busy_is_one_batch() -> None:
    with held() as callers:
        asked = [callers.queue(item) for item in range(1, 4)]
        callers.squares.let.set()
        assert [one.result(SOON_S) for one in asked] == [1, 4, 9]
        assert callers.squares.batches == [[1, 2, 3]]


def test_one_who_finds_the_thread_free_waits_for_no_other() -> None:
    with running() as batches:
        squares = Squares()
        assert batches.answer(squares, "", 3) == 9
        assert squares.batches == [[3]]


def test_a_batch_is_bounded_and_in_the_order_of_coming() -> None:
    with held() as callers:
        asked = [callers.queue(item) for item in range(1, 11)]
        callers.squares.let.set()
        assert [one.result(SOON_S) for one in asked] == [n * n for n in range(1, 11)]
        assert callers.squares.batches == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]


def test_only_what_is_alike_goes_together_and_the_first_goes_first() -> None:
    with held() as callers:
        kinds = ["tall", "wide", "tall", "wide", "wide"]
        asked = [callers.queue(item, alike=kind) for item, kind in enumerate(kinds, start=1)]
        callers.squares.let.set()
        assert [one.result(SOON_S) for one in asked] == [1, 4, 9, 16, 25]
        assert callers.squares.batches == [[1, 3], [2, 4, 5]]


def test_every_one_of_32_threads_gets_its_own_answer() -> None:
    with running(threads=2) as batches:
        squares = Squares()
        with ThreadPoolExecutor(32) as pool:
            found = list(pool.map(lambda n: batches.answer(squares, "", n), range(4000)))
        assert found == [n * n for n in range(4000)]
        assert squares.threads == {0, 1}
        assert max(map(len, squares.batches)) > 1
        assert sum(map(len, squares.batches)) == 4000


def test_a_bad_item_spoils_no_other() -> None:
    with held() as callers:
        asked = [callers.queue(item) for item in (2, -5, 3)]
        callers.squares.let.set()
        assert (asked[0].result(SOON_S), asked[2].result(SOON_S)) == (4, 9)
        with pytest.raises(ArithmeticError, match="not -5"):
            asked[1].result(SOON_S)
        # Nor does it those who come later.
        assert callers.ask(6).result(SOON_S) == 36


def test_too_few_answers_are_no_answers_of_others() -> None:
    class Forgetful(Squares):
        def run(self, items: Sequence[int], thread: int) -> list[int]:
            return super().run(items, thread)[: max(1, len(items) - 1)]

    with held() as callers:
        callers.squares.__class__ = Forgetful
        asked = [callers.queue(item) for item in (2, 3)]
        callers.squares.let.set()
        assert [one.result(SOON_S) for one in asked] == [4, 9]


def test_who_has_waited_as_long_as_it_does_is_refused_and_skipped() -> None:
    with held() as callers:
        patient = callers.queue(2)
        begun = time.monotonic()
        with pytest.raises(Overloaded, match="did not come in time"):
            callers.queue(3, Caller(patience_s=0.1)).result(SOON_S)
        assert 0.1 <= time.monotonic() - begun < SOON_S / 2
        callers.squares.let.set()
        assert patient.result(SOON_S) == 4
        assert callers.squares.batches == [[2]]


def test_who_is_in_work_already_gets_its_answer_however_late() -> None:
    with running() as batches:
        squares = Squares()
        squares.let.clear()
        callers = Callers(batches, squares)
        late = callers.ask(7, Caller(patience_s=0.2))
        until(lambda: squares.batches)
        time.sleep(0.3)
        squares.let.set()
        assert late.result(SOON_S) == 49
        callers.pool.shutdown()


@pytest.mark.parametrize("place", [0, 1])
def test_whose_caller_has_left_is_skipped(place: int) -> None:
    with held() as callers:
        gone = Caller()
        asked = [callers.queue(item, gone if item == place else None) for item in range(3)]
        gone.has_left = True
        callers.squares.let.set()
        with pytest.raises(Overloaded, match="has left"):
            asked[place].result(SOON_S)
        rest = [item for item in range(3) if item != place]
        assert [asked[item].result(SOON_S) for item in rest] == [n * n for n in rest]
        assert callers.squares.batches == [rest]


def test_the_queue_is_bounded() -> None:
    with held(limit=3) as callers:
        asked = [callers.queue(item) for item in range(3)]
        begun = time.monotonic()
        with pytest.raises(Overloaded, match="too much waits"):
            callers.queue(3).result(SOON_S)
        assert time.monotonic() - begun < SOON_S / 2
        callers.squares.let.set()
        assert [one.result(SOON_S) for one in asked] == [0, 1, 4]
        assert callers.ask(5).result(SOON_S) == 25


def test_a_flood_is_answered_or_refused_and_leaves_nothing_behind() -> None:
    """Ten times more callers than may wait, all of them in a hurry."""
    with running(threads=2, limit=4) as batches:
        squares = Squares()
        most = 0

        def one(item: int) -> bool:
            nonlocal most
            most = max(most, waiting(batches))
            try:
                with working_for(Caller(patience_s=0.05)):
                    assert batches.answer(squares, "", item) == item * item
            except Overloaded:
                return False
            return True

        with ThreadPoolExecutor(40) as pool:
            answered = sum(pool.map(one, range(2000)))
        assert 0 < answered <= 2000
        assert most <= 4
        until(lambda: not waiting(batches))
        assert batches.answer(squares, "", 9) == 81


def test_at_the_end_those_who_wait_are_refused_and_the_threads_end() -> None:
    with held(threads=2) as callers:
        asked = [callers.queue(item) for item in range(5)]
        closing = threading.Thread(target=callers.batches.close)
        closing.start()
        for one in asked:
            with pytest.raises(Overloaded, match="about to end"):
                one.result(SOON_S)
        assert closing.is_alive()  # waits for what is in work
        callers.squares.let.set()
        closing.join(SOON_S)
        assert not closing.is_alive()
        with pytest.raises(Overloaded, match="about to end"):
            callers.batches.answer(callers.squares, "", 1)
        with pytest.raises(Overloaded, match="about to end"):
            callers.batches.on_each_thread(lambda _: None)
        assert callers.squares.batches == []


def test_no_thread_is_begun_for_nothing() -> None:
    before = threading.active_count()
    with running(threads=2):
        assert threading.active_count() == before


def test_an_errand_is_done_once_by_each_thread_in_their_order() -> None:
    with running(threads=3) as batches:
        done: list[tuple[int, str]] = []
        batches.on_each_thread(lambda n: done.append((n, threading.current_thread().name)))
        assert done == [(n, f"model-{n}") for n in range(3)]
        with pytest.raises(ZeroDivisionError):
            batches.on_each_thread(lambda n: done.append((1 // n, "")))
        assert batches.answer(Squares(), "", 2) == 4


def test_a_caller_is_known_in_the_thread_that_works_for_it_alone() -> None:
    caller = Caller(patience_s=1)
    with working_for(caller):
        assert current_caller() is caller
        with working_for(Caller()):
            assert current_caller() is not caller
        assert current_caller() is caller
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(current_caller).result() is not caller
    assert current_caller() is not caller
