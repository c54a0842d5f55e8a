"""Prepared chips of the portraits, enough to train a few steps on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from model.artifact import Artifact
from tests.faces import Faces
from tests.integration.prepare_samples import clean_set
from tests.running import ROOT
from training.data.chips import Tower
from training.data.options import Options
from training.data.paper import PaperLayout
from training.data.prepare import prepare
from training.data.splits import Shares, SplitBy

COMMAND = (sys.executable, "-m", "training")


def prepared(
    folder: Path, faces: Faces, artifact: Artifact, tower: Tower, *, paper: bool = False
) -> Path:
    """Three people with four chips each, two of them for testing."""
    source = clean_set(folder / "pictures", faces)
    options = Options(
        tower=tower,
        split=SplitBy.IMAGE,
        shares=Shares(0, 0.5),
        paper=PaperLayout("barack", per_folder=3, overlap=True) if paper else None,
        quiet=True,
    )
    out = folder / f"prepared-{tower}"
    prepare(source, out, artifact, options)
    return out


def start(*arguments: object, cluster: str = "") -> subprocess.Popen[str]:
    """The training command, left to run."""
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "TF_CONFIG": cluster} if cluster else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def train(*arguments: object) -> str:
    """What the training command printed; it must have gone well."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(*arguments: object) -> str:
    """The one line with which the training command said no."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, done.stderr
    return lines[0]
