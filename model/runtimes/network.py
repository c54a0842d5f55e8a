"""A network that several threads use: alone, or at work together with others.

One request alone is answered soonest when every core works on it. When several are at
work, each on a core of its own gets more of them through: nothing is handed from core
to core, and no one waits for another (docs/decisions/0018-cores.md). Or, if an operator
so chooses, a thread on each core runs what queued in batches (docs/decisions/0023-batches.md).
"""

from __future__ import annotations

import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import TypeVar

import openvino as ov

from model.artifact import ArtifactError
from model.heap import give_back_freed
from model.runtimes.batched import Batched, grown
from model.runtimes.batches import Batches
from model.runtimes.compiled import CompiledNetworks
from model.runtimes.infer import infer
from model.types import Image

Answer = TypeVar("Answer")

Several = Callable[[], bool]
"""Whether several requests are at work, as whoever runs them knows."""

_log = logging.getLogger(__name__)

_MOST_STREAMS = 8
_one_at_a_time = threading.Lock()


class _Form:
    """A compiled network and its requests: as many as were ever wanted at once.

    Not one for each thread: some threads come to some networks once an hour, and each
    request holds megabytes from then on.
    """

    def __init__(self, network: ov.CompiledModel) -> None:
        self._network = network
        self._free: deque[ov.InferRequest] = deque()

    @contextmanager
    def lent(self) -> Iterator[ov.InferRequest]:
        """A request that nobody else has meanwhile; the one used last, whose memory is near."""
        try:
            request = self._free.pop()
        except IndexError:
            request = self._network.create_infer_request()
        try:
            yield request
        finally:
            self._free.append(request)


class Network:
    """Safe to run from several threads: each has a request of its own while it runs.

    Args:
        networks: Compiles it, or reads it as it was compiled.
        about, read: As for `CompiledNetworks.compiled`.
        threads: CPU threads of one inference; 0 for all cores, and then for one core
            each where `several` says so.
        several: None: never.
        batches: Runs it where `several` says so, instead of the threads that come.
        most: Items of one batch, each of as many rows as the network is made for; 1: none.
    """

    def __init__(
        self,
        networks: CompiledNetworks,
        about: tuple[str, ...],
        read: Callable[[ov.Core], ov.Model],
        *,
        threads: int = 0,
        several: Several | None = None,
        batches: Batches | None = None,
        most: int = 1,
    ) -> None:
        self._networks, self._about, self._read = networks, about, read
        self._batches = batches if most > 1 and threads == 0 else None
        shared = threads == 0 and (cores() > 1 or self._batches is not None)
        self._several = several if shared else None
        self._alone = _Form(self._compiled(streams=1, threads=threads))
        self._each: _Form | None = None
        self._begun = threading.Lock()
        if self._batches is not None:
            self._batched = Batched(self._batches, most, self._alone.lent, self._for_batches)

    def run(self, rows: Image, answer: Callable[[ov.InferRequest, int], Answer]) -> Answer:
        """Infers from the only input, maybe together with other threads' rows of this shape.

        Args:
            rows: Of as many rows as the network was made for.
            answer: Reads what came out, from the given row on; what it keeps it copies.
                May be called in another thread.

        Raises:
            Overloaded: As `Batches.answer`.
        """
        if self._batches is not None and self._several is not None and self._several():
            found: Answer = self._batches.answer(self._batched, rows.shape, (rows, answer))
            return found
        with self.request() as request:
            infer(request, rows)
            return answer(request, 0)

    def request(self) -> AbstractContextManager[ov.InferRequest]:
        """One that belongs to the caller until it leaves the block."""
        if self._several is not None and self._several():
            return (self._each or self._prepare()).lent()
        return self._alone.lent()

    def _for_batches(self, count: int) -> ov.CompiledModel:
        """The network for `count` items on one core, and as many at a time as batches run."""
        assert self._batches is not None
        streams = self._batches.threads
        with _one_at_a_time:
            network = self._compiled(streams=streams, threads=max(streams, cores()), count=count)
        give_back_freed()
        return network

    def _prepare(self) -> _Form:
        """Has the other form made meanwhile, once: many a service never needs it."""
        if self._begun.acquire(blocking=False):
            threading.Thread(target=self._make_each, name="compile").start()
        return self._alone

    def _make_each(self) -> None:
        try:
            with _one_at_a_time:
                self._each = _Form(self._compiled(streams=model_threads(), threads=cores()))
        except (ArtifactError, OSError, RuntimeError):
            # Another network is never used; this one is only slower under load.
            self._each = self._alone
            _say_that_files_are_others()
        give_back_freed()

    def _compiled(self, *, streams: int, threads: int, count: int = 1) -> ov.CompiledModel:
        config = {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": str(streams)}
        if threads:
            config["INFERENCE_NUM_THREADS"] = str(threads)
        if count == 1:
            return self._networks.compiled(self._about, config, self._read)
        about = (*self._about, f"{count} at once")
        return self._networks.compiled(about, config, lambda core: grown(self._read(core), count))


def model_threads() -> int:
    """How many inferences at a time use the cores best."""
    return min(cores(), _MOST_STREAMS)


@cache
def _say_that_files_are_others() -> None:
    """Once, however many networks there are."""
    _log.warning(
        "the model's files are no more those that were loaded at the start: what was loaded goes "
        "on, slower when several requests come at once; put the files back, and restart"
    )


def cores() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
