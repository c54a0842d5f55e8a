"""Threads that run the model, one a core, each in natural batches.

    a batch    what is alike of what queued while the threads were busy; no timer
    alike      for the same network and of the same shape
    refused    at once when too many wait; after as long as a caller waits; at the end
    skipped    whose caller has left
    answered   every other, by its own answer or its own error

When a batch fails, its members are run one by one: one that is bad spoils no other.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from model.caller import Caller, current_caller
from model.errors import Overloaded

MOST_WAITING: Final = 256


class Runner(Protocol):
    """What runs items; called from the model's threads alone."""

    def able(self, count: int) -> int:
        """How many of `count` that are alike it takes at once; at least 1."""
        ...

    def run(self, items: Sequence[Any], thread: int) -> Sequence[Any]:
        """One answer for each item, in their order, run in this one of the threads."""
        ...


@dataclass(eq=False)
class _Waiter:
    runner: Runner
    alike: Hashable
    item: Any
    caller: Caller
    until: float
    answer: Future[Any] = field(default_factory=Future)


_Errand = tuple[Callable[[int], None], Future[None]]


class Batches:
    """The queue and its threads, which begin with the first item. Safe from any thread.

    Args:
        threads: How many; one a core.
        limit: Items that wait.
        told: Given the size of each batch that is run.
    """

    def __init__(
        self,
        threads: int,
        limit: int = MOST_WAITING,
        *,
        told: Callable[[int], None] | None = None,
    ) -> None:
        self.threads = threads
        self._told = told
        self._limit = limit
        self._waiting: deque[_Waiter] = deque()
        self._errands: list[deque[_Errand]] = [deque() for _ in range(threads)]
        self._changed = threading.Condition()
        self._closed = False
        self._at_work: list[threading.Thread] = []

    def answer(self, runner: Runner, alike: Hashable, item: Any) -> Any:
        """What `runner` answers to an item, run together with others if they are alike.

        Args:
            alike: Equal for items of one runner that it can run in one batch.

        Raises:
            Overloaded: If too many wait, the calling thread's caller has waited as long as
                it does or has left, or this was closed; the item was not run.
            Exception: What the runner raised for this item.
        """
        caller = current_caller()
        until = time.monotonic() + caller.patience_s
        waiter = _Waiter(runner, alike, item, caller, until)
        with self._changed:
            if self._closed:
                raise _closing()
            if len(self._waiting) >= self._limit:
                raise Overloaded("too much waits for the model; try again in a second")
            self._waiting.append(waiter)
            self._begin()
            self._changed.notify()
        try:
            # No clock of the system reaches further than TIMEOUT_MAX.
            return waiter.answer.result(min(caller.patience_s, threading.TIMEOUT_MAX))
        except TimeoutError:
            if waiter.answer.cancel():
                raise _too_late() from None
            # It is being run, or is answered by a TimeoutError of its own.
            return waiter.answer.result()

    def on_each_thread(self, errand: Callable[[int], None]) -> None:
        """Has something done by each of the threads, one after the other.

        Args:
            errand: Given the number of the thread.

        Raises:
            Overloaded: If this was closed meanwhile.
        """
        for number in range(self.threads):
            done: Future[None] = Future()
            with self._changed:
                if self._closed:
                    raise _closing()
                self._errands[number].append((errand, done))
                self._begin()
                self._changed.notify_all()
            done.result()

    def close(self) -> None:
        """Refuses those who wait, and ends the threads when they have run what they had begun."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            left = [waiter.answer for waiter in self._waiting]
            left += [done for errands in self._errands for _, done in errands]
            self._waiting.clear()
            for errands in self._errands:
                errands.clear()
        for answer in left:
            if answer.set_running_or_notify_cancel():
                answer.set_exception(_closing())
        for thread in self._at_work:
            thread.join()

    def _begin(self) -> None:
        while len(self._at_work) < self.threads:
            number = len(self._at_work)
            thread = threading.Thread(
                target=self._work, args=(number,), name=f"model-{number}", daemon=True
            )
            self._at_work.append(thread)
            thread.start()

    def _work(self, number: int) -> None:
        errands = self._errands[number]
        while True:
            errand, batch = None, []
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or errands or self._closed)
                if self._closed:
                    return
                if errands:
                    errand = errands.popleft()
                else:
                    batch = self._next()
            if errand is not None:
                _do(*errand, number)
            elif batch:
                if self._told is not None:
                    self._told(len(batch))
                _run(batch, number)
            # Not kept while the thread waits: an item is a whole picture.
            del batch, errand

    def _next(self) -> list[_Waiter]:
        """The first that is still waited for and those like it, taken out of the queue."""
        while self._waiting:
            first = self._waiting.popleft()
            if _taken(first):
                break
        else:
            return []
        alike = [
            waiter
            for waiter in self._waiting
            if waiter.runner is first.runner and waiter.alike == first.alike
        ]
        more = alike[: first.runner.able(len(alike) + 1) - 1]
        for waiter in more:
            self._waiting.remove(waiter)
        return [first, *filter(_taken, more)]


def _taken(waiter: _Waiter) -> bool:
    """Whether it is to be run, and can no more be given up; if not, it is answered."""
    if not waiter.answer.set_running_or_notify_cancel():
        return False
    if waiter.caller.has_left:
        waiter.answer.set_exception(Overloaded("the caller has left"))
        return False
    if waiter.until <= time.monotonic():
        waiter.answer.set_exception(_too_late())
        return False
    return True


def _run(batch: Sequence[_Waiter], thread: int) -> None:
    runner = batch[0].runner
    try:
        answers = runner.run([waiter.item for waiter in batch], thread)
        pairs = list(zip(batch, answers, strict=True))
    except BaseException as error:  # the thread must outlive it, and somebody waits
        if len(batch) == 1:
            batch[0].answer.set_exception(error)
            return
    else:
        for waiter, answer in pairs:
            waiter.answer.set_result(answer)
        return
    for waiter in batch:
        _run([waiter], thread)


def _do(errand: Callable[[int], None], done: Future[None], thread: int) -> None:
    try:
        errand(thread)
    except BaseException as error:  # likewise
        done.set_exception(error)
    else:
        done.set_result(None)


def _too_late() -> Overloaded:
    return Overloaded("its turn with the model did not come in time; try again in a second")


def _closing() -> Overloaded:
    return Overloaded("the service is about to end")
