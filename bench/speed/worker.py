"""The far end of a measurement: a process that verifies pictures when told to.

One JSON object a line. It says `{"versions": {...}}` once it is ready; then each
command

    {"picture": PATH, "seconds": 2.0, "loops": 1}

is answered by what `loops` threads took to verify that picture again and again for
so long. Only the standard library is used: peers run it in an environment of theirs.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

Stages = dict[str, float]
"""Milliseconds by stage of one verification; may be empty."""

LEAST = 2
"""Verifications that a thread does, however long they take."""


class Channel:
    """The way to the bench. Made first: what libraries print goes to the errors."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def serve(self, answer: Callable[[dict[str, object]], object], **ready: object) -> None:
        """Says ready, then answers commands until there are no more."""
        self._say(ready)
        for line in sys.stdin:
            self._say(answer(json.loads(line)))

    def serve_verify(self, verify: Callable[[bytes], Stages], **versions: str) -> None:
        """Serves measurements of one function, which raises unless the face is verified."""
        self.serve(lambda command: _measured(verify, command), versions=versions)

    def _say(self, message: object) -> None:
        print(json.dumps(message), file=self._out, flush=True)


def _measured(verify: Callable[[bytes], Stages], command: dict[str, object]) -> object:
    data = Path(str(command["picture"])).read_bytes()
    seconds, loops = float(str(command["seconds"])), int(str(command.get("loops", 1)))
    done: list[tuple[float, Stages]] = []
    failures: list[Exception] = []
    began: list[tuple[float, float]] = []
    together = threading.Barrier(
        loops, action=lambda: began.append((time.perf_counter(), time.process_time()))
    )

    def loop() -> None:
        try:
            verify(data)
            together.wait()
            done.extend(_repeated(verify, data, began[0][0] + seconds))
        except Exception as error:
            failures.append(error)
            together.abort()

    threads = [threading.Thread(target=loop) for _ in range(loops)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        # A broken barrier is only what the first failure did to the others.
        raise failures[0]
    begun, cpu = began[0]
    return {
        "ms": [ms for ms, _ in done],
        "stages": [stages for _, stages in done],
        "wall_s": time.perf_counter() - begun,
        "cpu_s": time.process_time() - cpu,
    }


def _repeated(
    verify: Callable[[bytes], Stages], data: bytes, until: float
) -> list[tuple[float, Stages]]:
    done: list[tuple[float, Stages]] = []
    while len(done) < LEAST or time.perf_counter() < until:
        begun = time.perf_counter()
        stages = verify(data)
        done.append(((time.perf_counter() - begun) * 1000, stages))
    return done
