"""The service's commands, as an operator runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.running import ROOT


def service_command(
    data_dir: Path, *arguments: str, status: int = 0, **settings: Any
) -> subprocess.CompletedProcess[str]:
    """Runs `python -m service ...` on a data folder; its exit status must be `status`."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("SEMBLANCE_")}
    chosen = {"data_dir": data_dir, **settings}
    done = subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        cwd=ROOT,
        env=inherited | {f"SEMBLANCE_{name.upper()}": str(v) for name, v in chosen.items()},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def new_key(data_dir: Path, scope: str, *more: str) -> str:
    done = service_command(data_dir, "keys", "create", "--scope", scope, *more)
    return done.stdout.strip()
