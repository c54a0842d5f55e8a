"""`python -m training import` on real files: SFace itself, and small networks of three kinds."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from model.artifact import Artifact, read_artifact, sha256_of
from model.runtimes.openvino_runtime import OpenVinoRuntime
from model.types import Array
from model.zoo import SFACE, YUNET
from tests.faces import Faces
from tests.integration.import_model_samples import (
    SIZE,
    preprocessed,
    small_keras,
    small_onnx,
    stated,
)
from tests.integration.prepare_samples import mirrored, portraits, turned
from tests.integration.real_chips import augmented_chips, portrait_chips
from tests.pictures import encoded
from tests.running import ROOT
from training.cli import main
from training.fetch import fetch
from training.importing.template import scaled

# TensorFlow's own notices while a SavedModel loads.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def people(faces: Faces, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people, and three more who are they made broader; three pictures each."""
    folder = tmp_path_factory.mktemp("people")
    of = portraits(faces)
    pictures = {
        "barack": [of["obama"], of["obama2"], of["obama3"]],
        "joe": [of["biden"], mirrored(of["biden"]), turned(of["biden"], 12)],
        "ada": [of["astronaut"], mirrored(of["astronaut"]), turned(of["astronaut"], 12)],
    }
    for name, images in list(pictures.items()):
        pictures[f"broad-{name}"] = [np.repeat(image, 2, axis=1)[:, ::1] for image in images]
    for name, images in pictures.items():
        (folder / name).mkdir()
        for number, image in enumerate(images):
            (folder / name / f"{number}.png").write_bytes(encoded(image))
    (folder / "barack" / "nobody.png").write_bytes(encoded(np.full((64, 64, 3), 90, np.uint8)))
    return folder


Import = Callable[..., tuple[int, str, str]]


@pytest.fixture
def import_(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], people: Path
) -> Import:
    """The command, run in this process: exit code, standard output, standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        given = ["training", "import", *map(str, arguments), "--data", str(people), "--quiet"]
        monkeypatch.setattr(sys, "argv", given)
        monkeypatch.chdir(ROOT)
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code if isinstance(ended.value.code, int) else 0, said.out, said.err

    return run


def cosines(a: Array, b: Array) -> Array:
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    return np.asarray((a * b).sum(axis=1) / lengths)


@pytest.mark.long
def test_sface_itself(
    import_: Import, sface_artifact: Artifact, faces: Faces, tmp_path: Path
) -> None:
    out = tmp_path / "models" / "mine"
    options = ("--mean", 0, "--scale", 1, "--licence", "Apache-2.0", "--version", "2.1")
    code, said, wrong = import_(fetch(SFACE), out, *options, "--name", "mine")
    assert (code, wrong) == (0, "")
    assert "pictures without a face: 1" in said
    made = read_artifact(out)
    manifest = made.manifest
    assert (manifest.name, manifest.version, manifest.embedding_size) == ("mine", "2.1", 128)
    assert manifest.fingerprint in said
    assert np.allclose(manifest.template, sface_artifact.manifest.template)
    assert [(item.sha256, item.licence) for item in manifest.weights] == [
        (SFACE.sha256, "Apache-2.0"),
        (YUNET.sha256, "MIT"),
    ]
    assert sha256_of(made.detector) == sha256_of(sface_artifact.detector)
    assert "MIT License" in (out / "licences" / "yunet-MIT.txt").read_text()
    assert manifest.calibration.identities == 3
    assert "the head was fitted on the other 3" in manifest.calibration.dataset
    # 27 impostor pairs: nothing stricter than one in ten can be measured.
    assert [point.fmr for point in manifest.calibration.points] == [0.1]
    assert manifest.detection_threshold == manifest.calibration.points[0].threshold
    assert sorted(path.name for path in tmp_path.iterdir()) == ["models"]
    assert [path.name for path in out.parent.iterdir()] == ["mine"]

    chips = augmented_chips(faces, sface_artifact, 24)
    mine, built = OpenVinoRuntime(made), OpenVinoRuntime(sface_artifact, integers=False)
    least = cosines(mine.embed(chips), built.embed(chips)).min()
    print(f"smallest cosine to the artifact that `build` made, unrounded, {least:.7f}")
    assert least > 0.9999
    assert "OpenVINO and TensorFlow on 6 chips: embeddings differ by at most " in said
    # The one man's portraits are alike, and another's are not.
    embeddings = mine.embed(portrait_chips(faces, made))
    scores = mine.score(embeddings[0], embeddings)
    assert min(scores[:3]) > 0.5 > max(scores[3:])


@pytest.mark.parametrize("channels", ["rgb", "bgr"])
def test_a_keras_file(import_: Import, faces: Faces, tmp_path: Path, channels: str) -> None:
    network = small_keras()
    network.save(tmp_path / "small.keras")
    out = tmp_path / "out"
    code, said, wrong = import_(tmp_path / "small.keras", out, *stated(channels))
    assert (code, wrong) == (0, ""), said
    made = read_artifact(out)
    assert (made.manifest.name, made.manifest.embedding_size) == ("small", 24)
    assert made.manifest.weights[0].sha256 == sha256_of(tmp_path / "small.keras")
    assert np.allclose(made.manifest.template, scaled(SIZE), atol=1e-4)
    check_embeddings(made, faces, network, channels)


def test_a_saved_model_of_several_outputs_and_any_size(
    import_: Import, faces: Faces, tmp_path: Path
) -> None:
    inner = small_keras()

    class Served(tf.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = inner

        @tf.function(
            input_signature=[tf.TensorSpec((None, None, None, 3), tf.float32, name="pictures")]
        )  # type: ignore[untyped-decorator]
        def __call__(self, pictures: tf.Tensor) -> dict[str, tf.Tensor]:
            pictures = tf.ensure_shape(pictures, (None, *SIZE, 3))
            return {"logits": tf.reduce_sum(pictures, (1, 2)), "face": self.inner(pictures)}

    served = Served()
    folder = tmp_path / "saved"
    tf.saved_model.save(served, str(folder), signatures=served.__call__)
    out = tmp_path / "out"
    options = (*stated("rgb"), "--embedding-output", "face")
    code, _, wrong = import_(folder, out, *options)
    assert code == 1
    assert "--size 112,112" in wrong
    code, said, wrong = import_(folder, out, *options, "--size", "64,64")
    assert (code, wrong) == (0, ""), said
    check_embeddings(read_artifact(out), faces, inner, "rgb")


def test_what_keras_exports(import_: Import, faces: Faces, tmp_path: Path) -> None:
    network = small_keras()
    network.export(tmp_path / "saved", verbose=False)
    out = tmp_path / "out"
    code, said, wrong = import_(tmp_path / "saved", out, *stated("rgb"), "--no-unit")
    assert (code, wrong) == (0, ""), said
    made = read_artifact(out)
    chips = portrait_chips(faces, made)
    wanted = network(preprocessed(chips, "rgb"), training=False).numpy()
    assert np.abs(OpenVinoRuntime(made).embed(chips) - wanted).max() < 1e-4 * np.abs(wanted).max()


def check_embeddings(made: Artifact, faces: Faces, network: keras.Model, channels: str) -> None:
    """They are the network's own, of unit length."""
    chips = portrait_chips(faces, made)
    wanted = network(preprocessed(chips, channels), training=False).numpy()
    found = OpenVinoRuntime(made).embed(chips)
    assert np.abs(np.linalg.norm(found, axis=1) - 1).max() < 1e-5
    assert cosines(found, wanted).min() > 0.999999
    # The other order of colours would not have done.
    other = network(preprocessed(chips[..., ::-1], channels), training=False).numpy()
    assert cosines(found, other).min() < 0.999


def test_the_fingerprint_is_of_all_that_decides(import_: Import, tmp_path: Path) -> None:
    path = small_onnx(tmp_path / "small.onnx")
    plain = ["--mean", "127.5", "--scale", "0.0078125"]
    points = "25,30,39,30,32,38,26,46,38,46"
    asked: dict[str, list[str]] = {
        "first": plain,
        "named": [*plain, "--name", "other", "--version", "9", "--licence", "MIT"],
        "template": [*plain, "--template", points],
    }
    found = {}
    for name, options in asked.items():
        code, said, wrong = import_(path, tmp_path / "out", *options)
        assert (code, wrong) == (0, ""), said
        found[name] = read_artifact(tmp_path / "out").manifest
    prints = {name: manifest.fingerprint for name, manifest in found.items()}
    assert prints["first"] == prints["named"]
    assert len(set(prints.values())) == 2
    assert found["template"].alignment_template[0] == (25, 30)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "small.onnx"]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    folder, mount = tmp_path / "disk", shutil.which("mount")
    folder.mkdir()
    if os.geteuid() != 0 or mount is None:
        pytest.skip("a small file system can only be mounted by root")
    command = [mount, "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine does not let root mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.long
@pytest.mark.parametrize("full", ["out", "scratch"])
def test_a_full_disk(
    import_: Import, tmp_path: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch, full: str
) -> None:
    path, out = small_onnx(tmp_path / "small.onnx"), tmp_path / "out"
    if full == "out":
        out = small_disk / "out"
    else:
        monkeypatch.setattr(tempfile, "tempdir", str(small_disk))
    code, _, wrong = import_(path, out, "--mean", 0, "--scale", 1)
    assert code == 1
    assert wrong == (
        "error: the disk is full; free some room and import again; nothing was written\n"
    )
    left = [item for item in small_disk.iterdir() if "autograph" not in item.name]
    assert left == []
    assert not out.exists()


def test_as_a_user_runs_it(people: Path, tmp_path: Path) -> None:
    path = small_onnx(tmp_path / "small.onnx")
    command = [sys.executable, "-m", "training", "import", path, tmp_path / "out"]
    options = ["--data", people, "--mean", "127.5", "--scale", "0.0078125"]
    done = subprocess.run(
        [*map(str, [*command, *options])],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    content = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert content["fingerprint"] in done.stdout
    assert content["input_size"] == list(SIZE)
    assert str(tmp_path) not in json.dumps(content)
