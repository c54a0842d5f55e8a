"""`python -m training build` as a user runs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from model.artifact import Artifact, read_artifact, sha256_of
from model.zoo import SFACE, YUNET
from tests.running import ROOT
from training.fetch import FetchError, cache_folder, fetch

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both files, as somebody without a network brings it along."""
    folder = tmp_path_factory.mktemp("weights")
    for item in (SFACE, YUNET):
        shutil.copy(fetch(item), folder / item.file)
    return folder


def build(cache: Path, *options: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs the command where no package index and no other host can be reached."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("SEMBLANCE_", "PIP_")) and "PROXY" not in name.upper()
    }
    environment |= {
        "SEMBLANCE_CACHE_DIR": str(cache),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": f"{NOWHERE}/simple",
        "PIP_RETRIES": "0",
        "http_proxy": NOWHERE,
        "https_proxy": NOWHERE,
    }
    command = [sys.executable, "-m", "training", "build", *map(str, options)]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200, check=False
    )


def refused(done: subprocess.CompletedProcess[str]) -> str:
    """What a failed command said: one line, no traceback."""
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.strip().splitlines()
    assert line.startswith("error: ")
    return line


def test_from_a_folder_then_again_from_the_cache_with_no_network(
    tmp_path: Path, weights: Path, artifact: Artifact
) -> None:
    out, empty = tmp_path / "out", tmp_path / "empty"
    first = build(empty, "--out", out, "--from", weights)
    assert first.returncode == 0, first.stderr
    built = read_artifact(out)
    assert built.manifest.fingerprint == artifact.manifest.fingerprint
    assert built.manifest.fingerprint in first.stdout
    assert not empty.exists() or not any(empty.iterdir())
    # The second run has a warm cache instead, and replaces what is there.
    (out / "left-over").write_text("of the first")
    second = build(weights, "--out", out)
    assert second.returncode == 0, second.stderr
    again = read_artifact(out)
    assert again.manifest.fingerprint == built.manifest.fingerprint
    same = {"detector.onnx", "NOTICE"}
    assert {k: again.manifest.files[k] for k in same} == {k: built.manifest.files[k] for k in same}
    assert not (out / "left-over").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) in (["empty", "out"], ["out"])


def test_the_artifact_carries_its_licences(artifact: Artifact) -> None:
    notice = (artifact.folder / "NOTICE").read_text()
    assert "Apache" in notice
    assert "MIT" in notice
    licences = " ".join(
        path.read_text() for path in (artifact.folder / "licences").rglob("*") if path.is_file()
    )
    assert "Apache License" in licences
    assert "Permission is hereby granted" in licences
    assert {weights.sha256 for weights in artifact.manifest.weights} == {SFACE.sha256, YUNET.sha256}


def test_a_given_file_is_used_as_it_is(weights: Path) -> None:
    assert fetch(SFACE, weights / SFACE.file) == weights / SFACE.file
    assert fetch(YUNET, weights) == weights / YUNET.file


def test_a_given_file_with_another_sum_is_refused(tmp_path: Path) -> None:
    wrong = tmp_path / SFACE.file
    wrong.write_bytes(b"other weights")
    cache, out = tmp_path / "cache", tmp_path / "models" / "out"
    line = refused(build(cache, "--out", out, "--from", wrong))
    assert f"expected SHA-256 {SFACE.sha256}, found {sha256_of(wrong)}" in line
    assert sorted(path.name for path in tmp_path.iterdir()) == [wrong.name]


def test_a_folder_in_which_one_file_is_changed_is_refused(weights: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(weights, tmp_path / "weights"))
    spoilt = bytearray((folder / YUNET.file).read_bytes())
    spoilt[1000] ^= 1
    (folder / YUNET.file).write_bytes(spoilt)
    with pytest.raises(FetchError, match=f"expected SHA-256 {YUNET.sha256}, found "):
        fetch(YUNET, folder)


def test_a_missing_given_file_is_refused(tmp_path: Path) -> None:
    line = refused(build(tmp_path / "cache", "--out", tmp_path / "out", "--from", tmp_path / "no"))
    assert f"expected the file {SFACE.file}, found nothing" in line
    assert list(tmp_path.iterdir()) == []


def test_a_cold_cache_without_a_network_says_what_to_do(tmp_path: Path) -> None:
    cache, out = tmp_path / "cache", tmp_path / "out"
    line = refused(build(cache, "--out", out))
    assert f"could not get {SFACE.file}" in line
    assert "--from" in line
    assert not out.exists()
    assert not cache.exists() or not any(cache.iterdir())


def test_a_spoilt_file_in_the_cache_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / SFACE.file).write_bytes(b"half a download")
    monkeypatch.setenv("SEMBLANCE_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("PIP_INDEX_URL", f"{NOWHERE}/simple")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_RETRIES", "0")
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, NOWHERE)
    assert cache_folder() == tmp_path
    with pytest.raises(FetchError, match="could not get"):
        fetch(SFACE)


@pytest.mark.parametrize("option", [["--runtime", "onnx"], []])
def test_evaluating_what_is_not_there_is_one_line(tmp_path: Path, option: list[str]) -> None:
    command = [sys.executable, "-m", "training", "evaluate", "--lfw", str(tmp_path), *option]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    line = refused(done)
    expected = "found 'onnx'" if option else "expected LFW's pairs.txt"
    assert expected in line
