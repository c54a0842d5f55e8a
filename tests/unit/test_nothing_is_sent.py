"""What our code imports does not call home: README promises it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import ROOT

# Every look-up of a name and every connection is an audit event, whoever makes it, also in
# a process that is forked off.
WATCH = """
import os, sys
def note(event, _):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        os.write(1, event.encode() + bytes([10]))
sys.addaudithook(note)
import {module}
"""


def calls_of(module: str, home: Path) -> list[str]:
    """The calls to the network that importing this module makes."""
    # In CI the module that calls home is quiet by itself.
    quiet = {"CI", "TF_BUILD", "JENKINS_URL"}
    environment = {k: v for k, v in os.environ.items() if k not in quiet} | {"HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", WATCH.format(module=module)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True, timeout=120,
    )  # fmt: skip
    return done.stdout.split()


def test_the_watch_sees_a_module_that_calls_home(tmp_path: Path) -> None:
    lookup = "socket; socket.getaddrinfo('localhost', 80)"
    assert calls_of(lookup, tmp_path) == ["socket.getaddrinfo"]


@pytest.mark.parametrize("module", ["service.__main__", "training.importing.onnx_file", "bench"])
def test_our_code_calls_nobody_and_leaves_no_number_at_home(module: str, tmp_path: Path) -> None:
    assert calls_of(f"{module}, openvino", tmp_path) == []
    # TensorFlow and Matplotlib leave folders of their own.
    assert not (tmp_path / "intel").exists()
