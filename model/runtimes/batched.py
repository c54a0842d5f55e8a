"""A network for one item, for two, for four, ...: each form is compiled when first needed.

Only whole batches are run, of the sizes that there is a form for: one form for any number
of items would be a fifth slower, and padding would be work for nobody.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import openvino as ov

from model.errors import Overloaded
from model.runtimes.batches import Batches
from model.runtimes.infer import infer
from model.types import Image

Item = tuple[Image, Callable[[ov.InferRequest, int], Any]]
"""Rows, and what reads their answer, given the first of them in the batch."""

_ANY_SIDE = 64


class Batched:
    """The `Runner` of a network's items; those of one shape are alike.

    Args:
        batches: Whose threads run it.
        most: Items of one batch.
        alone: A request that belongs to the calling thread in a block, while there is no other.
        compiled: Makes the form for so many items, one stream for each of the threads;
            called from a thread of its own.
    """

    def __init__(
        self,
        batches: Batches,
        most: int,
        alone: Callable[[], AbstractContextManager[ov.InferRequest]],
        compiled: Callable[[int], ov.CompiledModel],
    ) -> None:
        self._batches, self._most = batches, most
        self._alone, self._compiled = alone, compiled
        self._by_count: dict[int, list[ov.InferRequest]] = {}
        self._begun: set[int] = set()

    def able(self, count: int) -> int:
        """The largest size of a batch that `count` items fill and that is ready.

        A larger one that they fill is made meanwhile.
        """
        filled = _power_of_two(min(count, self._most))
        for size in {1, filled} - self._begun:
            self._begun.add(size)
            threading.Thread(target=self._make, args=(size,), name="compile").start()
        return self._ready(filled)

    def run(self, items: Sequence[Item], thread: int) -> list[Any]:
        """One answer for each item."""
        answers: list[Any] = []
        while len(answers) < len(items):
            count = self._ready(len(items) - len(answers))
            part = items[len(answers) : len(answers) + count]
            ready = self._by_count.get(count)
            rows = part[0][0] if count == 1 else np.concatenate([rows for rows, _ in part])
            with nullcontext(ready[thread]) if ready else self._alone() as request:
                infer(request, rows)
                each = len(rows) // count
                answers += [read(request, place * each) for place, (_, read) in enumerate(part)]
        return answers

    def _ready(self, count: int) -> int:
        return max((size for size in list(self._by_count) if size <= count), default=1)

    def _make(self, count: int) -> None:
        network = self._compiled(count)
        requests: list[ov.InferRequest] = []

        def begin(_: int) -> None:
            request = network.create_infer_request()
            request.infer({0: _nothing(network)})
            requests.append(request)

        # OpenVINO gives out its streams, each tied to a core, in the order in which threads
        # come. In the same order to every network: else two threads could share a core.
        with contextlib.suppress(Overloaded):
            self._batches.on_each_thread(begin)
            self._by_count[count] = requests


def grown(network: ov.Model, count: int) -> ov.Model:
    """The network, made for `count` times as many rows of its only input."""
    rows, *others = network.input(0).get_partial_shape()
    network.reshape({network.input(0): ov.PartialShape([rows.get_length() * count, *others])})
    return network


def _nothing(network: ov.CompiledModel) -> Image:
    shape = network.input(0).get_partial_shape()
    sides = [_ANY_SIDE if axis.is_dynamic else axis.get_length() for axis in shape]
    return np.zeros(sides, network.input(0).get_element_type().to_dtype())


def _power_of_two(count: int) -> int:
    """The largest that is not above `count`."""
    return 1 << (count.bit_length() - 1)
