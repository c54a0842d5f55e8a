"""A worker process at work: started, asked, its memory read, ended."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import psutil

from tests.running import ROOT

_LIMIT_S = 300


class WorkerFailed(Exception):
    """A worker ended before it answered; the text is the last it said."""


class Worker:
    """A process of `bench.speed.worker`.

    Attributes:
        ready_s: From its start until it was ready.
        versions: Of what it runs.

    Raises:
        WorkerFailed: If it does not become ready.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None):
        # Closed by `close`.
        self._errors = tempfile.TemporaryFile(  # noqa: SIM115
            "w+", encoding="utf-8", errors="replace"
        )
        begun = time.perf_counter()
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        try:
            self.versions: dict[str, str] = self.receive().get("versions", {})
        except WorkerFailed:
            self.close()
            raise
        self.ready_s = time.perf_counter() - begun

    @property
    def resident_mb(self) -> float:
        return resident_mb(self._process.pid)

    def ask(self, command: Mapping[str, object]) -> dict[str, Any]:
        """Sends a command and waits for what it says."""
        self.send(command)
        return self.receive()

    def send(self, command: Mapping[str, object]) -> None:
        assert self._process.stdin is not None
        try:
            print(json.dumps(command), file=self._process.stdin, flush=True)
        except BrokenPipeError as error:
            raise WorkerFailed(self._last_words()) from error

    def receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        watchdog = threading.Timer(_LIMIT_S, self._process.kill)
        watchdog.start()
        line = self._process.stdout.readline()
        watchdog.cancel()
        if not line:
            raise WorkerFailed(self._last_words())
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._process.stdin.close()
        self._errors.close()

    def _last_words(self) -> str:
        self._process.wait(20)
        self._errors.seek(0)
        lines = [line.strip() for line in self._errors if line.strip()]
        return lines[-1] if lines else f"exit status {self._process.returncode}"


def resident_mb(pid: int) -> float:
    """Resident memory of a process and its children, in MB (10^6 bytes)."""
    return float(sum(process.memory_info().rss for process in _family(pid))) / 1e6


def cpu_s(pid: int) -> float:
    """CPU seconds, user and system, of a process and its children so far."""
    return float(sum(sum(process.cpu_times()[:2]) for process in _family(pid)))


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]
