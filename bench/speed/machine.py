"""What machine this is, and which versions it runs."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import psutil


def cpu_name() -> str:
    """The processor's name and cores; where the name says little, its family too."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        known = dict(line.split(":", 1) for line in lines if ":" in line)
        info = {name.strip(): value.strip() for name, value in known.items()}
        name = info["model name"]
        if "model" in info:
            name += f" (family {info.get('cpu family', '?')}, model {info['model']})"
    except (OSError, KeyError, ValueError):
        name = platform.processor() or platform.machine()
    return f"{name}, {psutil.cpu_count()} cores, {psutil.virtual_memory().total / 1e9:.0f} GB"


def own_versions() -> dict[str, str]:
    """Of what the service's time goes into."""
    names = ("openvino", "opencv-python-headless", "pillow", "fastapi", "uvicorn")
    return {"Python": platform.python_version()} | {name: version(name) for name in names}


def others_at_work() -> float:
    """Mean number of processes that wanted a core in the last minute."""
    return os.getloadavg()[0]
