"""Debian's Prometheus and promtool: of this machine, or fetched into the user's cache folder."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from training.fetch import cache_folder

_LIMIT_S = 120


@dataclass(frozen=True)
class Programs:
    server: Path
    tool: Path


@cache
def programs() -> Programs | str:
    """Both, or the reason why there are none."""
    server, tool = shutil.which("prometheus"), shutil.which("promtool")
    if server and tool:
        return Programs(Path(server), Path(tool))
    folder = cache_folder() / "prometheus"
    kept = Programs(folder / "usr" / "bin" / "prometheus", folder / "usr" / "bin" / "promtool")
    if not (kept.server.is_file() and kept.tool.is_file()):
        try:
            _fetch(folder)
        except (OSError, subprocess.SubprocessError) as error:
            return f"Debian's package `prometheus` cannot be had here ({type(error).__name__})"
    return kept


def _fetch(folder: Path) -> None:
    """The package as an archive; nothing is installed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        staging = Path(name)
        _run(staging, "apt-get", "download", "prometheus")
        (archive,) = staging.glob("prometheus_*.deb")
        _run(staging, "dpkg-deb", "-x", str(archive), "out")
        shutil.rmtree(folder, ignore_errors=True)
        (staging / "out").rename(folder)


def _run(folder: Path, *command: str) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=_LIMIT_S)
