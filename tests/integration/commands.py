"""The service's commands, as an operator runs them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from service.commands.main import run
from service.storage.sql_audit import LINGER_S
from tests.running import ROOT, environment_of


def service_command(
    data_dir: Path, *arguments: str, status: int = 0, **settings: Any
) -> subprocess.CompletedProcess[str]:
    """Runs `python -m service ...` on a data folder; its exit status must be `status`."""
    done = subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        cwd=ROOT,
        env=environment_of({"data_dir": data_dir, **settings}),
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def new_key(data_dir: Path, scope: str, *more: str) -> str:
    return _printed(data_dir, "keys", "create", "--scope", scope, *more).strip()


def audit_rows(data_dir: Path, *options: str) -> list[dict[str, Any]]:
    """What is on record, and last that it was exported."""
    # A service writes what it answered a moment later.
    time.sleep(4 * LINGER_S)
    lines = _printed(data_dir, "audit", "export", *options).splitlines()
    return [json.loads(line) for line in lines]


def _printed(data_dir: Path, *arguments: str) -> str:
    """As `service_command`, without a process of its own: most of it would be its start."""
    said = io.StringIO()
    with within(environment_of({"data_dir": data_dir})), redirect_stdout(said):
        assert run([*arguments]) == 0
    return said.getvalue()


@contextmanager
def within(environment: Mapping[str, str]) -> Iterator[None]:
    """For commands that are run in this process: its environment is this one, and no other."""
    before = dict(os.environ)
    try:
        os.environ.clear()
        os.environ.update(environment)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
