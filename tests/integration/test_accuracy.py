"""The accuracy that the README claims, measured again on the real data sets."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from model.artifact import Artifact
from model.runtimes.openvino_runtime import OpenVinoRuntime
from tests.faces import shared_data
from tests.running import ROOT
from training.calibration import measure_lfw

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]


def unpacked(name: str, folder: Path) -> Path:
    """A data set's folder, or a skip that says what is missing."""
    data = shared_data()
    if data is None:
        pytest.skip(f"the data set {name} is not on this machine")
    with tarfile.open(data / name) as archive:
        archive.extractall(folder, filter="data")
    return next(path for path in folder.iterdir() if path.is_dir())


@pytest.mark.parametrize(("profile", "least"), [("artifact", 0.9960), ("sface_artifact", 0.9940)])
def test_lfw_is_as_the_artifact_says(
    request: pytest.FixtureRequest, profile: str, least: float, tmp_path: Path
) -> None:
    artifact: Artifact = request.getfixturevalue(profile)
    folder = unpacked("lfw-pairs.tar", tmp_path)
    result = measure_lfw(artifact, OpenVinoRuntime(artifact), folder, quiet=True)
    kept_table = artifact.manifest.calibration
    # 0.996 as a mean of ten numbers is 0.9959999999999999.
    assert round(result.accuracy.mean, 9) >= least
    assert result.accuracy.mean == pytest.approx(kept_table.accuracy, abs=5e-4)
    assert not result.missed
    for kept, measured in zip(kept_table.points, result.points, strict=True):
        assert measured.fmr == kept.fmr
        assert measured.threshold == pytest.approx(kept.threshold, abs=2e-3)
        assert measured.fnmr == pytest.approx(kept.fnmr, abs=2e-3)


def test_one_footballer_against_the_others(tmp_path: Path) -> None:
    folder = unpacked("footballers.tgz", tmp_path)
    command = [sys.executable, "-m", "bench.accept_rates", "--data", str(folder)]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "out")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = dict(line.split(": ", 1) for line in done.stdout.splitlines() if "accepts: " in line)
    assert int(lines["true accepts"].split()[0]) >= 44
    assert lines["false accepts"].startswith("0 of 50")
