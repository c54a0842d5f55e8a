"""The workers of `import`, and the bar that shows how far they are."""

from __future__ import annotations

import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from model.errors import SemblanceError
from service.commands.import_folder import Person
from service.commands.import_worker import Result, begin, enrol_one
from service.core.results import FaceChoice

_AHEAD: Final = 3
"""People that wait for each worker: so few that a stop is soon, so many that none idles."""
_LINE_S: Final = 15.0
_LOOK_S: Final = 1.0


class Crew:
    """Processes, ended at the end of the block; they end as well when this one is killed."""

    def __init__(self, collection: str, choice: FaceChoice, workers: int) -> None:
        self._workers = workers
        self._pool = ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=begin,
            initargs=(collection, choice),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Whoever is being enrolled is enrolled whole.
        self._pool.shutdown(wait=True, cancel_futures=True)

    def enrolled(self, people: Sequence[Person]) -> Iterator[Result]:
        """What became of each, as it is done.

        Raises:
            SemblanceError: If a worker ended by itself, or found the storage full.
        """
        console = Console(stderr=True)
        progress = Progress(
            TextColumn("enrolling"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("pictures"),
            TextColumn("{task.fields[speed]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
        )
        total = sum(len(person.names) for person in people)
        with progress:
            bar = progress.add_task("", total=total, speed="")
            done = 0
            begun = said_at = time.monotonic()
            for result in self._done(people):
                yield result
                done += result.pictures
                now = time.monotonic()
                speed = f"{done / (now - begun):.1f}/s"
                progress.update(bar, completed=done, speed=speed)
                if now - said_at >= _LINE_S and not sys.stderr.isatty():
                    said_at = now
                    print(f"{done} of {total} pictures, {speed}", file=sys.stderr, flush=True)

    def _done(self, people: Sequence[Person]) -> Iterator[Result]:
        waiting: set[Future[Result]] = set()
        left = iter(people)
        try:
            while True:
                for person in left:
                    waiting.add(self._pool.submit(enrol_one, person))
                    if len(waiting) >= _AHEAD * self._workers:
                        break
                if not waiting:
                    return
                ended, waiting = wait(waiting, timeout=_LOOK_S, return_when=FIRST_COMPLETED)
                for one in ended:
                    yield one.result()
        except BrokenProcessPool as error:
            raise SemblanceError(
                "a worker ended before its time, as when memory runs out; run it again to go on, "
                "with fewer --workers"
            ) from error
