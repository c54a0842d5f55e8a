"""The service as a process of its own, for measurements."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measured:
    """A running service: its address, first key, process id, and seconds to ready."""

    url: str
    key: str
    pid: int
    ready_s: float


@contextmanager
def measured_service(data_dir: Path, **settings: object) -> Iterator[Measured]:
    """Starts `python -m service` on a free port of 127.0.0.1, stops it at the end."""
    chosen = {"port": 0, "data_dir": data_dir, "host": "127.0.0.1"} | settings
    environment = os.environ | {f"SEMBLANCE_{k.upper()}": str(v) for k, v in chosen.items()}
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "service"], env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if "ready" not in line:
            raise SystemExit("the service did not start")
        ready_s = time.perf_counter() - begun
        address, _, behind = line.split()[-1].partition("#")
        yield Measured(address.rstrip("/"), behind.removeprefix("key="), process.pid, ready_s)
    finally:
        process.terminate()
        process.wait(20)
        if process.stdout is not None:
            process.stdout.close()


@contextmanager
def warm_service(data_dir: Path, **settings: object) -> Iterator[Measured]:
    """The second start on this folder: compiled networks lie there, the database is made."""
    with measured_service(data_dir, **settings):
        pass
    with measured_service(data_dir, **settings) as service:
        yield service


@contextmanager
def open_service(data_dir: Path, **settings: object) -> Iterator[str]:
    """The address of a service that asks for no key and lets everybody guess."""
    with measured_service(data_dir, insecure=True, throttle_after=0, **settings) as service:
        yield service.url
