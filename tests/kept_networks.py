"""Compiled networks of earlier services, so that the next test's starts in a second.

Compiling takes five seconds of a core, and most tests are about something else. What
is kept is as safe as in a service's own folder: a network is used only if none of its
bytes has changed, on the same OpenVINO and CPU (model/runtimes/compiled.py).
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Final

# Where pytest has its own folders, so that a file can have a name in both.
KEPT: Final = Path(tempfile.gettempdir()) / f"semblance-tests-{os.getuid()}" / "compiled"
_MOST: Final = 40


def lend(data_dir: Path) -> None:
    """Gives a data folder that is there and has no networks yet those that are kept."""
    folder = data_dir / "compiled"
    if not data_dir.is_dir() or folder.exists():
        return
    # On another file system there is none: that service compiles.
    with contextlib.suppress(OSError):
        KEPT.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700)
        for network in KEPT.glob("*.network"):
            os.link(network, folder / network.name)


def keep(data_dir: Path) -> None:
    """Keeps what a service has compiled; of all that are kept, those used last."""
    with contextlib.suppress(OSError):
        for network in (data_dir / "compiled").glob("*.network"):
            with contextlib.suppress(FileExistsError):
                os.link(network, KEPT / network.name)
        for old in sorted(KEPT.iterdir(), key=lambda one: -one.stat().st_mtime)[_MOST:]:
            old.unlink(missing_ok=True)
