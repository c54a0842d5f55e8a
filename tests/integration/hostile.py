"""Clients that keep to no rules, byte by byte, and what they cost the service."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import psutil

GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
JSON_HEAD = b"POST /v1/detect HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
PLENTY_S = 20.0
"""Far longer than anything here may take: beyond it the service hangs."""


def connected(url: str) -> socket.socket:
    host, port = url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=PLENTY_S)


@dataclass(frozen=True)
class Heard:
    """All that came over a connection.

    Attributes:
        closed: Whether the service closed it, in time.
        spent_s: Until then, or until the wait was over.
    """

    said: bytes
    closed: bool
    spent_s: float

    @property
    def statuses(self) -> list[int]:
        return [int(part[:3]) for part in self.said.split(b"HTTP/1.1 ")[1:]]


def hear(connection: socket.socket, wait_s: float = PLENTY_S) -> Heard:
    """Listens until the service closes the connection, or says nothing for so long."""
    begun, said = time.monotonic(), b""
    connection.settimeout(wait_s)
    try:
        while piece := connection.recv(1 << 16):
            said += piece
    except TimeoutError:
        return Heard(said, False, time.monotonic() - begun)
    except ConnectionError:
        pass  # closed while it still was sent something
    return Heard(said, True, time.monotonic() - begun)


def ask(url: str, request: bytes, wait_s: float = PLENTY_S) -> Heard:
    """Sends bytes, however wrong, and listens."""
    with connected(url) as connection:
        with suppress(ConnectionError):  # refused before the end
            connection.sendall(request)
        return hear(connection, wait_s)


class Cost:
    """The memory that a process takes from now on, at its highest."""

    def __init__(self, process_id: int) -> None:
        self._process = psutil.Process(process_id)
        try:
            with open(f"/proc/{process_id}/clear_refs", "w") as file:
                file.write("5")
        except OSError:
            pass  # elsewhere than on Linux the end must do for the peak
        self._before = self._process.memory_info().rss

    @property
    def mib(self) -> int:
        try:
            with open(f"/proc/{self._process.pid}/status") as file:
                peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
        except OSError:
            peak = self._process.memory_info().rss >> 10
        return int(peak * 1024 - self._before) >> 20


@contextmanager
def open_files(most: int) -> Iterator[None]:
    """The limit of this process, and of what it starts meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
