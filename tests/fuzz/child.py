"""The process that a file is tried in: it may crash, hang or run out of memory.

`python -m tests.fuzz.child TARGET` reads files from its input, each behind its
length in 4 bytes, and answers each with one line of JSON. Before that it says
that it is ready.
"""

from __future__ import annotations

import faulthandler
import json
import os
import resource
import sys
import time
import traceback
import warnings
from typing import BinaryIO

from tests.fuzz.targets import Target, target

_MEMORY_BYTES = 4 << 30
"""Beyond it an allocation fails, so that the machine is never at risk."""

_STATUS = "/proc/self/status"


def main(name: str) -> None:
    # The answers' pipe is kept from decoders that print.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    faulthandler.enable()
    # Pillow warns of odd tags; a service logs that.
    warnings.simplefilter("ignore")
    run = target(name)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Of addresses, so what is loaded already counts, too.
    resource.setrlimit(resource.RLIMIT_AS, (_used(b"VmSize") + _MEMORY_BYTES,) * 2)
    print("ready", file=answers, flush=True)
    while (data := _next(sys.stdin.buffer)) is not None:
        answers.write(json.dumps(_tried(run, data)) + "\n")
        answers.flush()


def _next(source: BinaryIO) -> bytes | None:
    length = source.read(4)
    return source.read(int.from_bytes(length)) if len(length) == 4 else None


def _tried(run: Target, data: bytes) -> dict[str, object]:
    """How it went: `answer` or `raised`, and what it took: `grown` bytes, `spent` CPU seconds."""
    before, begun = _begin_peak(), time.process_time()
    try:
        went = {"answer": run(data)}
    except BaseException:
        went = {"raised": traceback.format_exc()[-4000:]}
    spent = time.process_time() - begun
    return {**went, "grown": _used(b"VmHWM") - before, "spent": spent}


def _begin_peak() -> int:
    """Forgets the highest use of memory so far. Returns the present one."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass  # elsewhere than on Linux the limit of addresses must do
    return _used(b"VmRSS")


def _used(name: bytes) -> int:
    """A line of the process's status, in bytes; 0 where there is none."""
    try:
        with open(_STATUS, "rb") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith(name))
    except OSError:
        return 0


if __name__ == "__main__":
    main(sys.argv[1])
