"""The service as a real process, for tests that must not share one with it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests import kept_networks

ROOT = Path(__file__).parents[1]
_START_LIMIT_S = 60
_OPEN = {"insecure": True, "throttle_after": 0, "lock_after": 0}


@dataclass
class Service:
    """A running service.

    Attributes:
        url: Such as "http://127.0.0.1:41234", without a slash at the end.
        key: The first key, where the service made one; else empty.
        output: Lines it has printed so far, errors too.
    """

    url: str
    process: subprocess.Popen[str]
    key: str = ""
    output: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Around:
    """What a service is started in.

    Attributes:
        before: A command that starts the one behind it, in its own place.
        environment: More variables.
    """

    before: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


def environment_of(settings: Mapping[str, object]) -> dict[str, str]:
    """This process's environment with these settings of the service, and no others."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("SEMBLANCE_")}
    return inherited | {f"SEMBLANCE_{name.upper()}": str(v) for name, v in settings.items()}


@contextmanager
def service_process(data_dir: Path, **settings: object) -> Iterator[Service]:
    """Starts `python -m service` on a free port of 127.0.0.1; stops it at the end.

    Unless said, it asks for no key and lets everybody guess: most tests are about
    something else.

    Args:
        settings: As in `service.settings.Settings`, such as `max_references=3`.

    Raises:
        RuntimeError: If it does not say ready; the text holds what it said.
    """
    with _started(Around(), data_dir, settings) as service:
        yield service


@contextmanager
def service_within(around: Around, data_dir: Path, **settings: object) -> Iterator[Service]:
    """As `service_process`, on another clock, say, or with a small disk."""
    with _started(around, data_dir, settings) as service:
        yield service


@contextmanager
def running_service(data_dir: Path, **settings: object) -> Iterator[str]:
    """As `service_process`, for tests that need the address alone."""
    with _started(Around(), data_dir, settings) as service:
        yield service.url


@contextmanager
def _started(around: Around, data_dir: Path, settings: dict[str, object]) -> Iterator[Service]:
    chosen = {"host": "127.0.0.1", "port": 0, "data_dir": data_dir, **_OPEN} | settings
    environment = environment_of(chosen)
    kept_networks.lend(Path(str(chosen["data_dir"])))
    process = subprocess.Popen(
        [*around.before, sys.executable, "-m", "service"],
        cwd=ROOT,
        env={**environment, **around.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    service = Service(url="", process=process)
    ready = threading.Event()
    reader = threading.Thread(target=_read, args=(service, ready), daemon=True)
    reader.start()
    try:
        if not ready.wait(_START_LIMIT_S) or not service.url:
            raise RuntimeError("the service did not start:\n" + "\n".join(service.output))
        yield service
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join(5)
        if process.stdout:
            process.stdout.close()
        kept_networks.keep(Path(str(chosen["data_dir"])))


def _read(service: Service, ready: threading.Event) -> None:
    """Collects the output, so that the process never waits for a reader."""
    assert service.process.stdout is not None
    for line in service.process.stdout:
        service.output.append(line.rstrip())
        if line.startswith("Semblance is ready: "):
            address, _, behind = line.split()[-1].partition("#")
            service.url = address.rstrip("/")
            service.key = behind.removeprefix("key=")
            ready.set()
    ready.set()
