"""Waiting for something that a process does by itself."""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx


def wait_until(is_so: Callable[[], bool], limit_s: float) -> float:
    """Seconds until it was so. Raises AssertionError if that takes longer than the limit."""
    begun = time.monotonic()
    while not is_so():
        assert time.monotonic() < begun + limit_s, "it did not happen in time"
        time.sleep(0.02)
    return time.monotonic() - begun


def wait_until_ready(client: httpx.Client, limit_s: float = 20) -> float:
    """Seconds until the service says by itself that it is ready again."""
    return wait_until(lambda: client.get("/readyz").status_code == 200, limit_s)
