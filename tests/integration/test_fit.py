"""`fit` and `export` as their user runs them, on real faces and for a few steps."""

from __future__ import annotations

import csv
import json
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from model.artifact import Artifact, read_artifact
from model.runtimes.openvino_runtime import OpenVinoRuntime
from tests.faces import Faces
from tests.integration.fit_samples import prepared, refused, start, train
from tests.integration.prepare_samples import small_file_system
from training.data.chips import Tower
from training.fitting.chip_set import read_chip_set

KOCH = ("--batch", 2, "--pairs", 4, "--checkpoint-every", 1, "--quiet")


@pytest.fixture(scope="module")
def koch_chips(
    tmp_path_factory: pytest.TempPathFactory, faces: Faces, sface_artifact: Artifact
) -> Path:
    return prepared(tmp_path_factory.mktemp("koch"), faces, sface_artifact, Tower.KOCH)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, koch_chips: Path) -> Path:
    """Three epochs of the paper's tower, without an interruption."""
    out = tmp_path_factory.mktemp("run") / "koch"
    train("fit", koch_chips, "--out", out, "--epochs", 3, "--augment", "all", *KOCH)
    return out


def weights(folder: Path) -> list[np.ndarray]:
    with np.load(folder / "weights.npz") as stored:
        return [stored[name] for name in stored.files]


def test_a_run_leaves_what_was_promised(run: Path) -> None:
    with (run / "history.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert all(0 < float(row["loss"]) < 3 and row["recall"] for row in rows)
    result = json.loads((run / "result.json").read_text())
    assert result["epoch_kept"] == 3
    assert result["test"]["pairs"] == 4000
    for name in ("loss", "accuracy", "precision", "recall"):
        assert (run / "curves" / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
    assert list((run / "logs" / "train").glob("events.out.tfevents.*"))
    assert len(list((run / "checkpoints").glob("*.index"))) == 2
    assert not list(run.rglob("*.part"))


@pytest.mark.long
def test_a_killed_run_goes_on_to_the_same_weights(
    run: Path, koch_chips: Path, tmp_path: Path
) -> None:
    out = tmp_path / "killed"
    arguments = ("fit", koch_chips, "--out", out, "--epochs", 3, "--augment", "all", *KOCH)
    child = start(*arguments)
    limit = time.monotonic() + 200
    while not (out / "checkpoints" / "checkpoint").is_file():
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < limit
        time.sleep(0.02)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert not (out / "weights.npz").exists(), "it was killed after its end"
    line = refused("export", out, tmp_path / "artifact")
    assert "expected a finished run in 'killed'" in line
    said = train(*arguments)
    assert "went on after epoch" in said
    for uninterrupted, resumed in zip(weights(run), weights(out), strict=True):
        np.testing.assert_array_equal(resumed, uninterrupted)
    kept = [json.loads((one / "history.json").read_text()) for one in (run, out)]
    assert [row["loss"] for row in kept[0]] == [row["loss"] for row in kept[1]]


@pytest.mark.long
def test_the_artifact_scores_as_the_network_did(
    run: Path, koch_chips: Path, tmp_path: Path
) -> None:
    said = train("export", run, tmp_path / "artifact", "--threshold", 0.5, "--quiet")
    assert "OpenVINO and TensorFlow on" in said
    artifact = read_artifact(tmp_path / "artifact")
    manifest = artifact.manifest
    assert manifest.input_size == (105, 105)
    assert manifest.embedding_size == 4096
    assert manifest.detection_threshold == 0.5
    assert "split 'test'" in manifest.calibration.dataset
    runtime = OpenVinoRuntime(artifact)
    chips = read_chip_set(koch_chips)
    found = runtime.embed(chips.read(np.arange(3)))
    *_, kernel, bias = weights(run)
    logits = np.abs(found[0] - found[1:]) @ kernel[:, 0] + bias[0]
    expected = 1 / (1 + np.exp(-logits.astype(np.float64)))
    np.testing.assert_allclose(runtime.score(found[0], found[1:]), expected, rtol=1e-4)


@pytest.mark.long
def test_a_run_is_not_gone_on_with_otherwise(run: Path, koch_chips: Path) -> None:
    line = refused("fit", koch_chips, "--out", run, "--epochs", 3, *KOCH)
    assert "was begun with augment" in line
    before = (run / "settings.json").read_bytes()
    line = refused("fit", koch_chips, "--out", run, "--loss", "arcface", "--augment", "all", *KOCH)
    assert "was begun with loss = bce, now it is arcface" in line
    assert (run / "settings.json").read_bytes() == before


def test_a_checkpoint_of_another_architecture(run: Path, koch_chips: Path, tmp_path: Path) -> None:
    out = tmp_path / "other"
    arguments = ("fit", koch_chips, "--out", out, "--loss", "contrastive", "--epochs", 2, *KOCH)
    out.mkdir()
    # The folder of another run, with the settings of this one.
    (out / "checkpoints").symlink_to(run / "checkpoints")
    content = json.loads((run / "settings.json").read_text())
    content["fit"] |= {"loss": "contrastive", "augment": [], "epochs": 2}
    (out / "settings.json").write_text(json.dumps(content))
    assert "another architecture or a damaged one" in refused(*arguments)


@pytest.mark.long
@pytest.mark.parametrize("loss", ["contrastive", "triplet", "arcface"])
def test_the_better_ways_run_too(loss: str, koch_chips: Path, tmp_path: Path) -> None:
    out = tmp_path / loss
    train("fit", koch_chips, "--out", out, "--loss", loss, "--epochs", 1, *KOCH)
    *_, kernel, _ = weights(out)
    # One weight for all directions, fitted after the epoch.
    assert kernel.shape == (2048, 1)
    assert len(np.unique(kernel)) == 1


@pytest.mark.long
def test_transfer_begins_at_the_pretrained_tower(
    faces: Faces, sface_artifact: Artifact, tmp_path: Path
) -> None:
    chips = prepared(tmp_path, faces, sface_artifact, Tower.SFACE)
    out = tmp_path / "sface"
    said = train(
        *("fit", chips, "--tower", "sface", "--out", out, "--epochs", 3, "--head-epochs", 1),
        *("--unfreeze", 1, "--pairs", 8, "--batch", 4, "--keep", "last", "--quiet"),
    )
    assert "precision 1.000, recall 1.000" in said
    rows = json.loads((out / "history.json").read_text())
    assert [row["stage"] for row in rows] == ["start", "head", "tower", "tower"]
    train("export", out, tmp_path / "artifact", "--quiet")
    tuned = read_artifact(tmp_path / "artifact")
    assert tuned.manifest.fingerprint != sface_artifact.manifest.fingerprint
    pixels = read_chip_set(chips).read(np.arange(12))
    before = OpenVinoRuntime(sface_artifact).embed(pixels)
    after = OpenVinoRuntime(tuned).embed(pixels)
    assert not np.allclose(before, after, atol=1e-6)
    # It was moved a little, not thrown away.
    assert (before * after).sum(axis=1).min() > 0.98


@pytest.mark.long
def test_a_full_disk(run: Path, koch_chips: Path, tmp_path: Path) -> None:
    with small_file_system(tmp_path / "disk") as disk:
        line = refused(
            "fit", koch_chips, "--out", disk / "run", "--epochs", 1, "--pairs", 2, "--quiet"
        )
        assert "is full; free some space and run it again: it goes on with 'run'" in line
        assert not list(disk.rglob("*temp*"))
        assert not (disk / "run" / "weights.npz").exists()
        line = refused("export", run, disk / "artifact", "--quiet")
        assert line == "error: the disk is full; free some space and export again"
        assert [path.name for path in disk.iterdir()] == ["run"]


@pytest.mark.long
def test_bad_input_is_one_sentence(koch_chips: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    assert "expected a folder that prepare made" in refused("fit", tmp_path, "--out", out)
    assert "expected chips of (112, 112)" in refused(
        "fit", koch_chips, "--tower", "sface", "--out", out
    )
    assert "expected --augment of flip" in refused(
        "fit", koch_chips, "--augment", "blur", "--out", out
    )
    assert "expected batch of at least 1" in refused("fit", koch_chips, "--batch", 0, "--out", out)
    assert "expected a rate between 0 and 1" in refused(
        "fit", koch_chips, "--rate", 3, "--out", out
    )
    assert "expected the cluster in TF_CONFIG" in refused(
        "fit", koch_chips, "--strategy", "multi-worker", "--out", out
    )
    assert "found no settings.json" in refused("export", tmp_path, tmp_path / "artifact")
    assert not out.exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("mine")
    assert "found something else" in refused("fit", koch_chips, "--out", tmp_path / "other")
    assert (tmp_path / "other" / "notes.txt").read_text() == "mine"
