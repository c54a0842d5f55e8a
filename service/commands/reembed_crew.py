"""The workers of `reembed` on this machine, and the bar that shows how far all are."""

from __future__ import annotations

import multiprocessing
import random
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from service.commands.reembed_worker import Order, run
from service.storage.reembedding import Reembedding

_LOOK_S = 2.0
_LINE_S = 15.0
_STOP_S = 30.0


@dataclass
class Done:
    """What this run did so far.

    Attributes:
        damaged: Numbers of the identities with a picture that cannot be read.
        faults: Why workers ended before the end.
        stopped: Somebody ended it.
    """

    identities: int = 0
    references: int = 0
    damaged: set[int] = field(default_factory=set)
    faults: set[str] = field(default_factory=set)
    stopped: bool = False


class Crew:
    """Workers, stopped at the end of the block, whatever ends it.

    They come to an end by themselves when this process is killed.

    Args:
        artifact: Folder of the new model.
        workers: How many.
        batch: Identities in one transaction.
    """

    def __init__(self, artifact: Path, workers: int, batch: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._by_report: dict[Connection, SpawnProcess] = {}
        # Other machines begin elsewhere.
        first = random.random()  # noqa: S311  # no secret
        with _interrupts_kept_off():
            for number in range(workers):
                order = Order(artifact, (first + number / workers) % 1, batch)
                reports, reporting = context.Pipe(duplex=False)
                process = context.Process(target=run, args=(order, reporting), daemon=True)
                process.start()
                # Theirs alone, so that its end is seen here.
                reporting.close()
                self._by_report[reports] = process

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        deadline = time.monotonic() + _STOP_S
        for process in self._by_report.values():
            process.terminate()
        for process in self._by_report.values():
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()

    def follow(self, work: Reembedding, total: int, done: Done) -> None:
        """Returns when all have ended, or somebody has ended this.

        Args:
            total: References that are to be done, by whichever machine.
            done: What comes of it is put here.
        """
        console = Console(stderr=True)
        progress = Progress(
            TextColumn("embedding"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("references"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        with progress:
            bar = progress.add_task("", total=total)
            try:
                for completed in self._followed(work, total, done):
                    progress.update(bar, completed=completed)
            except KeyboardInterrupt:
                done.stopped = True
                self._stop(done)

    def _followed(self, work: Reembedding, total: int, done: Done) -> Iterator[int]:
        """Now and then how many references are done, by all machines."""
        open_reports = set(self._by_report)
        looked_at = said_at = time.monotonic()
        while open_reports:
            for reports in wait(list(open_reports), timeout=_LOOK_S):
                assert isinstance(reports, Connection)
                if not self._took(reports, done):
                    open_reports.remove(reports)
            now = time.monotonic()
            if now - looked_at >= _LOOK_S:
                looked_at = now
                completed = max(0, total - work.count())
                yield completed
                if now - said_at >= _LINE_S and not sys.stderr.isatty():
                    said_at = now
                    print(f"{completed} of {total} references", file=sys.stderr, flush=True)
        yield max(0, total - work.count())

    def _took(self, reports: Connection, done: Done) -> bool:
        """One report of a worker; whether there may be another."""
        try:
            report = reports.recv()
        except EOFError:
            process = self._by_report[reports]
            process.join()
            if process.exitcode and process.exitcode < 0 and not done.stopped:
                done.faults.add(f"by signal {-process.exitcode}")
            elif process.exitcode and not done.faults and not done.stopped:
                done.faults.add(f"with status {process.exitcode}")
            return False
        if isinstance(report, str):
            done.faults.add(report)
        else:
            done.identities += report.identities
            done.references += report.references
            done.damaged.update(report.damaged)
        return True

    def _stop(self, done: Done) -> None:
        """Has each end after its batch, and takes what they still say."""
        for process in self._by_report.values():
            process.terminate()
        left = set(self._by_report)
        deadline = time.monotonic() + _STOP_S
        while left and time.monotonic() < deadline:
            for reports in wait(list(left), timeout=_LOOK_S):
                assert isinstance(reports, Connection)
                if not self._took(reports, done):
                    left.remove(reports)


@contextmanager
def _interrupts_kept_off() -> Iterator[None]:
    """What is started meanwhile never sees Ctrl-C, which goes to all: we tell it.

    A signal that is ignored is ignored by whoever is started, from its first moment.
    """
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
