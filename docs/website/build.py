"""Builds the site, and fails on what its builder only warns of."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from docs.website.stage import BuildError, stage


def build(folder: Path) -> Path:
    """Builds into a folder, and gives the site's own folder in it.

    Args:
        folder: Made if need be. What a former build left is replaced.

    Raises:
        BuildError: On any warning: a link or an anchor that leads nowhere, say.
    """
    for old in ("pages", "site"):
        shutil.rmtree(folder / old, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    config = stage(folder)
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    done = subprocess.run(
        [*command, "--config-file", str(config)],
        cwd=folder,
        env=os.environ | {"NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = re.sub(r"\x1b\[[\d;]*m", "", done.stdout + done.stderr).partition("Traceback")[0]
    if done.returncode or "Warning" in said or not (folder / "site" / "index.html").is_file():
        raise BuildError(said.strip() or f"zensical ended with status {done.returncode}")
    return folder / "site"
