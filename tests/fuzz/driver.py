"""Tries files in a child process, and keeps those that bring it down."""

from __future__ import annotations

import hashlib
import json
import select
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from tests.running import ROOT

MEMORY_LIMIT_BYTES = 64 << 20
"""For one file of at most a million pixels; the greatest seen took a third of it."""

_START_LIMIT_S = 60.0
_RENEWED_AFTER = 5000
"""Files of one process: a leak would be seen, and would not be blamed on one file."""


@dataclass(frozen=True)
class Outcome:
    """What a file did.

    Attributes:
        fault: "crash", "hang", "memory", "slow" or "raised"; None if nothing is wrong.
        said: The target's answer, or what is known of the fault.
        spent_s: CPU time, which other work on the machine does not change.
    """

    fault: str | None
    said: str
    spent_s: float = 0.0
    grown_bytes: int = 0


class Child:
    """A process to try files in; a new one is started when it has ended.

    Args:
        target: Name of one of tests.fuzz.targets.
        limit_s: Longest wait for one file, on a machine that may be busy.
        slow_s: Most CPU time for one file; a usual one takes a few milliseconds.
    """

    def __init__(self, target: str, limit_s: float = 30.0, slow_s: float = 2.0) -> None:
        self._target = target
        self._limit_s = limit_s
        self._slow_s = slow_s
        self._process: subprocess.Popen[bytes] | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 closed by __exit__
        self._tried = 0

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()
        self._errors.close()

    def tried(self, data: bytes) -> Outcome:
        """What a file does to the process."""
        process = self._process or self._start()
        assert process.stdin is not None
        try:
            process.stdin.write(len(data).to_bytes(4) + data)
            process.stdin.flush()
            said = self._line(process, self._limit_s)
        except BrokenPipeError:
            said = b""
        self._tried += 1
        outcome = self._judged(process, said)
        if outcome.fault in {"crash", "hang"} or self._tried >= _RENEWED_AFTER:
            self._end()
        return outcome

    def _judged(self, process: subprocess.Popen[bytes], said: bytes | None) -> Outcome:
        if said is None:
            return Outcome("hang", f"no answer in {self._limit_s:.0f} s")
        if not said:
            self._errors.seek(0)
            tail = self._errors.read()[-4000:].decode(errors="replace")
            return Outcome("crash", f"exit status {process.wait()}\n{tail}")
        went: dict[str, Any] = json.loads(said)
        spent, grown = float(went["spent"]), int(went["grown"])
        if "raised" in went:
            return Outcome("raised", went["raised"], spent, grown)
        if grown > MEMORY_LIMIT_BYTES:
            return Outcome("memory", f"took {grown >> 20} MiB, {went['answer']}", spent, grown)
        if spent > self._slow_s:
            return Outcome("slow", f"took {spent:.1f} s, {went['answer']}", spent, grown)
        return Outcome(None, went["answer"], spent, grown)

    def _start(self) -> subprocess.Popen[bytes]:
        self._errors.seek(0)
        self._errors.truncate()
        self._tried = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.child", self._target],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            bufsize=-1,
        )
        if self._line(self._process, _START_LIMIT_S) != b"ready\n":
            raise RuntimeError(f"the process for {self._target} did not start")
        return self._process

    @staticmethod
    def _line(process: subprocess.Popen[bytes], limit_s: float) -> bytes | None:
        """The next line; empty if the process has ended, None if none comes in time."""
        assert process.stdout is not None
        readable, _, _ = select.select([process.stdout], [], [], limit_s)
        return process.stdout.readline() if readable else None

    def _end(self) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                with suppress(BrokenPipeError):
                    stream.close()
        self._process = None


def name_of(data: bytes) -> str:
    """A file's name by its content."""
    return hashlib.sha256(data).hexdigest()[:16]
