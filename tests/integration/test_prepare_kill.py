"""`prepare` killed in the middle: the next run goes on, and ends where one run would."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from model.artifact import Artifact
from tests.faces import Faces
from tests.integration.prepare_samples import many_portraits, results, training
from tests.running import ROOT
from training.data.options import Options
from training.data.prepare import prepare

PICTURES = 120
KILLED_AT = 10


def test_a_killed_run_goes_on(tmp_path: Path, faces: Faces, sface_artifact: Artifact) -> None:
    source, out = many_portraits(tmp_path / "set", faces, PICTURES), tmp_path / "out"
    looks = out / "state" / "looks.jsonl"
    command = [sys.executable, "-m", "training", "prepare", str(source), str(out), "--quiet"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        if looks.is_file() and looks.read_bytes().count(b"\n") >= KILLED_AT:
            break
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it was over before it could be killed"
    assert not (out / "report.json").exists()
    # As if the kill had come in the middle of a line, and of a chip.
    done_before = looks.read_bytes().count(b"\n")
    with looks.open("a") as file:
        file.write('{"name": "obama/0')
    assert KILLED_AT <= done_before < PICTURES

    again = training("prepare", source, out, "--quiet")
    assert again.returncode == 0, again.stderr
    # A line may have been written whose end was not counted.
    (line,) = [line for line in again.stdout.splitlines() if "looked at" in line]
    assert 0 < int(line.split()[0]) <= PICTURES - done_before
    whole = tmp_path / "whole"
    prepare(source, whole, sface_artifact, Options(quiet=True))
    assert results(out) == results(whole)
    assert sum(name.startswith("chips/") for name in results(out)) == PICTURES
