"""A network that is run from several threads: on all cores at once, or one on each.

One request alone is answered soonest when every core works on it. When several are at
work, each on a core of its own gets more of them through: nothing is handed from core
to core, and no one waits for another (docs/decisions/0018-cores.md).
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from functools import cache

import openvino as ov

from model.artifact import ArtifactError
from model.heap import give_back_freed
from model.runtimes.compiled import CompiledNetworks

Several = Callable[[], bool]
"""Whether several requests are at work, as whoever runs them knows."""

_log = logging.getLogger(__name__)

_MOST_STREAMS = 8
_one_at_a_time = threading.Lock()


class Network:
    """Safe to run from several threads: each has requests of its own.

    Args:
        networks: Compiles it, or reads it as it was compiled.
        about, read: As for `CompiledNetworks.compiled`.
        threads: CPU threads of one inference; 0 for all cores, and then for one core
            each where `several` says so.
        several: None: never.
    """

    def __init__(
        self,
        networks: CompiledNetworks,
        about: tuple[str, ...],
        read: Callable[[ov.Core], ov.Model],
        *,
        threads: int = 0,
        several: Several | None = None,
    ) -> None:
        self._networks, self._about, self._read = networks, about, read
        self._several = several if threads == 0 and cores() > 1 else None
        self._alone = self._compiled(streams=1, threads=threads)
        self._each: ov.CompiledModel | None = None
        self._begun = threading.Lock()
        self._local = threading.local()

    def request(self) -> ov.InferRequest:
        """One that belongs to the calling thread."""
        network = self._alone
        if self._several is not None and self._several():
            network = self._each or self._prepare()
        requests: dict[int, ov.InferRequest] = self._local.__dict__.setdefault("requests", {})
        if id(network) not in requests:
            requests[id(network)] = network.create_infer_request()
        return requests[id(network)]

    def _prepare(self) -> ov.CompiledModel:
        """Has the other form made meanwhile, once: many a service never needs it."""
        if self._begun.acquire(blocking=False):
            threading.Thread(target=self._make_each, name="compile", daemon=True).start()
        return self._alone

    def _make_each(self) -> None:
        try:
            with _one_at_a_time:
                self._each = self._compiled(streams=min(cores(), _MOST_STREAMS), threads=cores())
        except (ArtifactError, OSError, RuntimeError):
            # Another network is never used; this one is only slower under load.
            self._each = self._alone
            _say_that_files_are_others()
        give_back_freed()

    def _compiled(self, *, streams: int, threads: int) -> ov.CompiledModel:
        config = {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": str(streams)}
        if threads:
            config["INFERENCE_NUM_THREADS"] = str(threads)
        return self._networks.compiled(self._about, config, self._read)


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
