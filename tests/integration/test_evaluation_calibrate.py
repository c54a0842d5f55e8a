"""`calibrate`: a new last step of the scores, and nothing else of the model changed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from model.artifact import Artifact, read_artifact
from model.faces import Detector
from model.runtimes.openvino_runtime import OpenVinoRuntime
from model.runtimes.tensorflow_runtime import TensorFlowRuntime
from tests.faces import Faces
from tests.integration.evaluation_samples import folder_of
from tests.integration.prepare_samples import refused, training
from tests.integration.real_chips import augmented_chips
from training.pictures import embed_folder


@pytest.fixture(scope="module")
def calibrated(
    tmp_path_factory: pytest.TempPathFactory, faces: Faces, artifact: Artifact
) -> tuple[Artifact, str]:
    """The default artifact calibrated on the portraits, and what the command said."""
    folder = tmp_path_factory.mktemp("calibrate")
    people = folder_of(folder / "people", faces)
    done = training(
        "calibrate", artifact.folder, "--data", people, "--out", folder / "new", "--quiet"
    )
    assert done.returncode == 0, done.stderr
    return read_artifact(folder / "new"), done.stdout


def test_the_fingerprint_and_all_but_the_head_stay(
    calibrated: tuple[Artifact, str], artifact: Artifact
) -> None:
    new, said = calibrated
    assert new.manifest.fingerprint == artifact.manifest.fingerprint
    assert new.manifest.weights == artifact.manifest.weights
    same = [name for name in artifact.manifest.files if not name.startswith("saved_model/")]
    assert {name: new.manifest.files[name] for name in same} == {
        name: artifact.manifest.files[name] for name in same
    }
    assert new.manifest.calibration.dataset == "people"
    assert new.manifest.calibration.impostor_pairs == 84
    assert new.manifest.detection_threshold == new.manifest.calibration.points[0].threshold
    assert "fingerprint" in said
    evidence = json.loads((new.folder / "calibration" / "held_out.json").read_text())
    assert 0 <= evidence["held_out"]["after"]["brier"] <= 1
    assert (new.folder / "calibration" / "reliability.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    "kind", [OpenVinoRuntime, pytest.param(TensorFlowRuntime, marks=pytest.mark.long)]
)
def test_embeddings_are_the_same_and_scores_are_scaled(
    calibrated: tuple[Artifact, str],
    artifact: Artifact,
    faces: Faces,
    kind: type[OpenVinoRuntime] | type[TensorFlowRuntime],
) -> None:
    old, new = kind(artifact), kind(calibrated[0])
    chips = augmented_chips(faces, artifact, 24)
    embeddings = old.embed(chips)
    assert np.array_equal(embeddings, new.embed(chips))
    before = old.score(embeddings[0], embeddings[1:]).astype(np.float64)
    after = new.score(embeddings[0], embeddings[1:]).astype(np.float64)
    evidence = json.loads((calibrated[0].folder / "calibration" / "held_out.json").read_text())
    slope, intercept = evidence["scaling"]["slope"], evidence["scaling"]["intercept"]
    inner = (before > 1e-4) & (before < 1 - 1e-4)
    logit = np.log(before[inner] / (1 - before[inner]))
    assert inner.sum() >= 5
    assert after[inner] == pytest.approx(1 / (1 + np.exp(-(slope * logit + intercept))), abs=1e-3)
    assert slope != pytest.approx(1, abs=0.01)


def test_both_runtimes_agree(
    calibrated: tuple[Artifact, str], faces: Faces, artifact: Artifact
) -> None:
    chips = augmented_chips(faces, artifact, 12)
    one, other = OpenVinoRuntime(calibrated[0]), TensorFlowRuntime(calibrated[0])
    embeddings = other.embed(chips)
    # In 8 bits a sum may come out on either side of a step.
    assert (one.embed(chips) * embeddings).sum(axis=1).min() > 0.995
    scores = [runtime.score(embeddings[0], embeddings[1:]) for runtime in (one, other)]
    assert np.abs(scores[0] - scores[1]).max() < 1e-4


def test_thresholds_are_those_of_the_new_scores(
    calibrated: tuple[Artifact, str], faces: Faces, tmp_path: Path
) -> None:
    new = calibrated[0]
    runtime = OpenVinoRuntime(new)
    people = folder_of(tmp_path / "people", faces)
    embedded = embed_folder(people, Detector(new.detector), runtime, quiet=True)
    (point,) = new.manifest.calibration.points
    false = total = 0
    for row, name in enumerate(embedded.identities):
        others = embedded.embeddings[embedded.identities > name]
        if len(others):
            scores = runtime.score(embedded.embeddings[row], others)
            false += int((scores > point.threshold).sum())
            total += len(scores)
    assert total == 84
    assert point.fmr_measured == pytest.approx(false / total)


@pytest.mark.long
def test_calibrating_twice_in_place(
    calibrated: tuple[Artifact, str], faces: Faces, tmp_path: Path
) -> None:
    """What was calibrated on these pictures before needs no more scaling."""
    place = tmp_path / "artifact"
    shutil.copytree(calibrated[0].folder, place)
    people = folder_of(tmp_path / "people", faces)
    done = training("calibrate", place, "--data", people, "--quiet")
    assert done.returncode == 0, done.stderr
    evidence = json.loads((place / "calibration" / "held_out.json").read_text())
    assert evidence["scaling"]["slope"] == pytest.approx(1, abs=0.02)
    assert evidence["scaling"]["intercept"] == pytest.approx(0, abs=0.02)
    assert read_artifact(place).manifest.fingerprint == calibrated[0].manifest.fingerprint
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    line = refused(training("calibrate", place, "--data", people, "--out", tmp_path / "mine"))
    assert "expected an artifact or nothing at 'mine', found something else" in line
    assert sorted(path.name for path in tmp_path.iterdir()) == ["artifact", "mine", "people"]
