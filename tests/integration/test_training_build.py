"""`python -m training build` as a user runs it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from model.artifact import Artifact, read_artifact, sha256_of
from model.runtimes.openvino_runtime import OpenVinoRuntime
from model.zoo import DLIB, SFACE, YUNET
from tests.faces import Faces
from tests.integration.real_chips import portrait_chips
from tests.running import ROOT
from training.fetch import FetchError, cache_folder, fetch

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files, as somebody without a network brings it along."""
    folder = tmp_path_factory.mktemp("weights")
    for item in (SFACE, YUNET, DLIB):
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


PROFILES = {"accurate": (SFACE, DLIB, YUNET), "fast": (SFACE, YUNET)}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> dict[str, Artifact]:
    """Both profiles, made from the folder with an empty cache."""
    folder = tmp_path_factory.mktemp("built")
    found = {}
    for name in PROFILES:
        empty = folder / "empty"
        done = build(empty, "--profile", name, "--out", folder / name, "--from", weights)
        assert done.returncode == 0, done.stderr
        found[name] = read_artifact(folder / name)
        assert found[name].manifest.fingerprint in done.stdout
        assert not empty.exists() or not any(empty.iterdir())
    return found


@pytest.mark.long
def test_from_the_cache_with_no_network_it_is_made_again(
    tmp_path: Path, weights: Path, built: dict[str, Artifact]
) -> None:
    out = tmp_path / "out"
    shutil.copytree(built["fast"].folder, out)
    (out / "left-over").write_text("of the first")
    second = build(weights, "--profile", "fast", "--out", out)
    assert second.returncode == 0, second.stderr
    again, first = read_artifact(out).manifest, built["fast"].manifest
    assert again.fingerprint == first.fingerprint
    same = {"detector.pb", "NOTICE"}
    assert {k: again.files[k] for k in same} == {k: first.files[k] for k in same}
    assert not (out / "left-over").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_the_profiles_are_what_they_say(built: dict[str, Artifact]) -> None:
    accurate, fast = built["accurate"].manifest, built["fast"].manifest
    assert (accurate.name, fast.name) == ("fused", "sface")
    assert (accurate.input_size, fast.input_size) == ((190, 174), (112, 112))
    assert (accurate.embedding_size, fast.embedding_size) == (256, 128)
    assert (accurate.landmarks, fast.landmarks) == ("second look", "detector")
    assert (accurate.interpolation, fast.interpolation) == ("cubic", "linear")
    assert accurate.fingerprint != fast.fingerprint
    for manifest in (accurate, fast):
        assert manifest.calibration.accuracy > 0.99
        assert 0 < manifest.detection_threshold < 1


@pytest.mark.parametrize("profile", list(PROFILES))
def test_a_built_artifact_tells_people_apart(
    profile: str, built: dict[str, Artifact], faces: Faces
) -> None:
    artifact = built[profile]
    runtime = OpenVinoRuntime(artifact)
    embeddings = runtime.embed(portrait_chips(faces, artifact))
    scores = runtime.score(embeddings[0], embeddings)
    # Two more portraits of the same man, then two other people.
    assert min(scores[1], scores[2]) > artifact.manifest.detection_threshold
    assert max(scores[3], scores[4]) < 0.1


def test_the_accurate_profile_is_built_unless_told_otherwise() -> None:
    done = build(Path("unused"), "--help")
    assert done.returncode == 0
    assert re.search(r"--profile.*default: accurate", done.stdout.replace("\n", " "))


def test_an_unknown_profile_is_refused(tmp_path: Path) -> None:
    done = build(tmp_path / "cache", "--profile", "best", "--out", tmp_path / "out")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "accurate" in done.stderr
    assert "fast" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_a_folder_without_dlibs_file_is_refused(tmp_path: Path, weights: Path) -> None:
    folder = tmp_path / "weights"
    folder.mkdir()
    for item in (SFACE, YUNET):
        shutil.copy(weights / item.file, folder)
    line = refused(build(tmp_path / "cache", "--out", tmp_path / "out", "--from", folder))
    assert f"expected the file {DLIB.file}, found nothing" in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["weights"]


def test_a_spoilt_file_of_dlibs_is_refused(tmp_path: Path, weights: Path) -> None:
    wrong = tmp_path / DLIB.file
    wrong.write_bytes((weights / DLIB.file).read_bytes()[:-1])
    line = refused(build(weights, "--out", tmp_path / "out", "--from", wrong))
    assert f"expected SHA-256 {DLIB.sha256}, found {sha256_of(wrong)}" in line
    assert sorted(path.name for path in tmp_path.iterdir()) == [wrong.name]


@pytest.mark.parametrize("profile", list(PROFILES))
def test_an_artifact_carries_its_licences(profile: str, built: dict[str, Artifact]) -> None:
    artifact = built[profile]
    notice = (artifact.folder / "NOTICE").read_text()
    for item in PROFILES[profile]:
        assert item.notice in notice
    assert ("CC0" in notice) == (profile == "accurate")
    licences = " ".join(
        path.read_text() for path in (artifact.folder / "licences").rglob("*") if path.is_file()
    )
    assert "Apache License" in licences
    assert "Permission is hereby granted" in licences
    assert {weights.sha256 for weights in artifact.manifest.weights} == {
        item.sha256 for item in PROFILES[profile]
    }


def test_a_given_file_is_used_as_it_is(weights: Path) -> None:
    assert fetch(SFACE, weights / SFACE.file) == weights / SFACE.file
    assert fetch(YUNET, weights) == weights / YUNET.file


@pytest.mark.long
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
def test_evaluating_what_is_not_there_is_one_line(
    tmp_path: Path, artifact: Artifact, option: list[str]
) -> None:
    command = [sys.executable, "-m", "training", "evaluate", str(artifact.folder)]
    command += ["--lfw", str(tmp_path), *option]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    line = refused(done)
    expected = "found 'onnx'" if option else "expected LFW's pairs.txt"
    assert expected in line
