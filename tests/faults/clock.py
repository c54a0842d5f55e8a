"""A clock that is set while a service runs by it; no other program sees it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import pytest

from tests.running import Around

_LIBRARY = "vendor/libfaketime/src/libfaketime.so.1"


class Clock:
    """The time of day for whatever is started `around` it.

    Skips the test where the library, which is built for one kind of machine, has no effect.

    Args:
        folder: Where it keeps how far it is set.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "clock"
        self.set(0)
        self.around = Around(
            environment={
                "LD_PRELOAD": str(library()),
                "FAKETIME_TIMESTAMP_FILE": str(self._path),
                "FAKETIME_NO_CACHE": "1",
                # What nobody can set on a real machine either.
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                "DONT_FAKE_MONOTONIC": "1",
                "NO_FAKE_STAT": "1",
            }
        )
        if not _has_effect():
            pytest.skip("libfaketime sets no clock on this machine")

    def set(self, offset_s: int) -> None:
        """Seconds before (negative) or after the true time."""
        part = self._path.with_suffix(".part")
        part.write_text(f"{offset_s:+d}\n")
        os.replace(part, self._path)


def library() -> Path:
    found = importlib.util.find_spec("libfaketime")
    assert found is not None, "libfaketime is not installed"
    assert found.origin is not None
    return Path(found.origin).parent / _LIBRARY


@cache
def _has_effect() -> bool:
    asked = [sys.executable, "-c", "import time; print(time.time())"]
    environment = {**os.environ, "LD_PRELOAD": str(library()), "FAKETIME": "+1000000"}
    done = subprocess.run(asked, env=environment, capture_output=True, text=True, check=False)
    return done.returncode == 0 and float(done.stdout) - time.time() > 500_000
