"""`python -m training dnn`: prompts, plots, and one clear sentence for bad input."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.artifact import Artifact
from model.types import AnyArray
from tests.faces import Faces
from tests.running import ROOT
from tests.unit.test_scratch_learning import two_moons
from training.cli import main
from training.scratch.network import init_dl
from training.scratch.plane import plane_of

PLOTS = ("loss.png", "accuracy.png", "boundary.png")


def save(path: Path, X: AnyArray, y: AnyArray) -> Path:
    np.savez(path, X=X, y=y)
    return path


@pytest.fixture
def moons(tmp_path: Path) -> Path:
    return save(tmp_path / "moons.npz", *two_moons(60, seed=1))


Dnn = Callable[..., tuple[int, str, str]]


@pytest.fixture
def dnn(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Dnn:
    """The command, run in this process: exit code, standard output, standard error."""

    def run(*arguments: object, stdin: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["training", "dnn", "--quiet", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return ended.value.code if isinstance(ended.value.code, int) else 0, said.out, said.err

    return run


def test_it_learns_and_draws(dnn: Dnn, tmp_path: Path, moons: Path) -> None:
    out = tmp_path / "deep" / "out"
    options = ("--hidden", "16,8", "--rate", 1, "--iterations", 2000, "--held-out", 0.25)
    code, said, _ = dnn("--features", moons, *options, "--out", out)
    assert code == 0
    assert "90 examples to learn from, 2 features each" in said
    assert "30 held out: split by example, seed 1" in said
    assert "always saying the commonest label: 50.00%" in said
    result = json.loads((out / "result.json").read_text())
    assert result["dimensions"] == [2, 16, 8, 1]
    assert result["held_out_accuracy"] > 0.9
    assert f"held-out accuracy {result['held_out_accuracy']:.2%}" in said
    assert result["history"]["iterations"][-1] == 2000
    with np.load(out / "parameters.npz") as parameters:
        assert parameters["W2"].shape == (8, 16)
    for name in PLOTS:
        with Image.open(out / name) as plot:
            pixels = np.asarray(plot.convert("RGB"))
        assert pixels.shape[0] > 400
        assert 0.01 < np.mean(pixels.min(axis=2) < 250) < 0.95
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 50
    assert {path.name for path in out.iterdir()} == {
        *PLOTS,
        "features.npz",
        "parameters.npz",
        "result.json",
    }


def test_hidden_sizes_are_asked_for(tmp_path: Path, moons: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "training", "dnn", "--features", moons, "--out", tmp_path / "out",
         "--iterations", "20", "--plane", "0,1"],
        cwd=ROOT, input="2\n5\n 3 \n", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "Number of hidden layers: " in done.stdout
    assert "Neurons of hidden layer 2: " in done.stdout
    assert json.loads((tmp_path / "out/result.json").read_text())["dimensions"] == [2, 5, 3, 1]


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ("x\n", "expected a whole number as the number of hidden layers, found 'x'"),
        ("1\n0\n", "expected the size of hidden layer 1 from 1 to 100000, found 0"),
        ("1\n-3\n", "expected a whole number as the size of hidden layer 1, found '-3'"),
        ("2\n4\n", "the input ended before all hidden sizes were given"),
    ],
)
def test_a_wrong_answer_at_the_prompt(
    dnn: Dnn, tmp_path: Path, moons: Path, answers: str, sentence: str
) -> None:
    code, _, said = dnn("--features", moons, "--out", tmp_path / "out", stdin=answers)
    assert (code, said) == (1, f"error: {sentence}\n")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--hidden", "0"], "expected the size of hidden layer 1 from 1 to 100000, found 0"),
        (["--hidden", "8,x"], "expected a whole number as the size of hidden layer 2, found 'x'"),
        (["--hidden", ""], "expected a whole number as the size of hidden layer 1, found ''"),
        (["--hidden", "9" * 5000], "expected a whole number as the size of hidden layer 1, found"),
        (["--hidden", "4", "--rate", "0"], "expected a rate above 0, found 0"),
        (["--hidden", "4", "--rate", "nan"], "expected a rate above 0, found nan"),
        (["--hidden", "4", "--iterations", "0"], "expected at least 1 iteration, found 0"),
        (["--hidden", "4", "--dropout", "1"], "expected a dropout from 0 to below 1, found 1"),
        (["--hidden", "4", "--held-out", "1"], "expected a held-out share from 0 to below 1"),
        (["--hidden", "4", "--held-out", "0.999"], "60 examples of a kind are too few to hold"),
        (["--hidden", "4", "--plane", "0,2"], "expected two different features from 0 to 1"),
        (["--hidden", "4", "--plane", "up"], "expected the plane pca or two features such as 0,1"),
        (["--hidden", "4", "--data", "x"], "expected either --features FILE, or --data FOLDER"),
    ],
)
def test_a_wrong_option_is_one_clear_sentence(
    dnn: Dnn, tmp_path: Path, moons: Path, options: list[str], sentence: str
) -> None:
    out = tmp_path / "out"
    code, _, said = dnn("--features", moons, "--out", out, *options)
    assert code == 1
    assert said.startswith(f"error: {sentence}")
    assert said.count("\n") == 1
    assert not out.exists() or list(out.iterdir()) == []


def test_divergence_is_one_clear_sentence(dnn: Dnn, tmp_path: Path) -> None:
    # Far out, but where the first neuron is not saturated: at right angles to its weights.
    weights = init_dl([2, 1, 1])["W1"][0]
    X = 1e9 * np.outer([weights[1], -weights[0]], [1.0, 2.0])
    path = save(tmp_path / "far.npz", X, np.array([0, 1]))
    code, _, said = dnn("--features", path, "--hidden", 1, "--rate", 1e305, "--out", tmp_path)
    assert (code, said) == (1, "error: learning diverged at a rate of 1e+305; try a lower one\n")
    assert [path.name for path in tmp_path.iterdir()] == ["far.npz"]


ONES = np.ones((2, 4))
LABELS = np.array([0, 1, 0, 1])


@pytest.mark.parametrize(
    ("X", "y", "sentence"),
    [
        (ONES, LABELS * 2, "expected only 0 and 1 as labels, found others"),
        (ONES, LABELS - 0.5, "expected only 0 and 1 as labels, found others"),
        (ONES, LABELS * np.nan, "expected only 0 and 1 as labels, found others"),
        (ONES, LABELS * 0, "expected labels of both kinds, found all the same"),
        (ONES, LABELS[:3], r"and y of shape (output_size, m), found (2, 4) and (1, 3)"),
        (ONES.T, LABELS[:3], r"and y of shape (output_size, m), found (4, 2) and (1, 3)"),
        (ONES[0], LABELS, r"and y of shape (output_size, m), found (4,) and (1, 4)"),
        (ONES[:, :0], LABELS[:0], "expected at least one example, feature and label, found none"),
        (ONES[:0], LABELS, "expected at least one example, feature and label, found none"),
        (ONES[:1], LABELS, "expected at least two features to draw a boundary over"),
        (ONES * np.inf, LABELS, "expected finite numbers in X, found infinite ones or NaN"),
        (ONES, LABELS.astype(str), "expected numbers in y, found <U21"),
        (ONES.astype(object), LABELS, "moons.npz is not a .npz file of numbers"),
    ],
)
def test_wrong_examples_are_one_clear_sentence(
    dnn: Dnn, tmp_path: Path, X: AnyArray, y: AnyArray, sentence: str
) -> None:
    path = save(tmp_path / "moons.npz", X, y)
    code, _, said = dnn("--features", path, "--hidden", 4, "--out", tmp_path / "out")
    assert code == 1
    assert said.startswith("error: ")
    assert sentence in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 torn"])
def test_a_file_that_is_no_npz(dnn: Dnn, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "f.npz"
    path.write_bytes(content)
    assert dnn("--features", path, "--hidden", 4)[::2] == (
        1,
        "error: f.npz is not a .npz file of numbers\n",
    )
    np.savez(path, X=ONES)
    assert dnn("--features", path, "--hidden", 4)[::2] == (
        1,
        "error: expected the arrays X and y in f.npz\n",
    )
    np.save(path.with_suffix(".npy"), ONES)
    assert dnn("--features", path.with_suffix(".npy"), "--hidden", 4)[::2] == (
        1,
        "error: f.npy is not a .npz file of numbers\n",
    )


def test_a_folder_of_pictures(
    dnn: Dnn, tmp_path: Path, faces: Faces, sface_artifact: Artifact
) -> None:
    for folder, names in (("obama", ("obama", "obama2", "obama3")), ("other", ("biden",))):
        (tmp_path / "people" / folder).mkdir(parents=True)
        for name in names:
            shutil.copy(faces.folder / f"{name}.jpg", tmp_path / "people" / folder)
    shutil.copy(faces.folder / "astronaut.png", tmp_path / "people/other")
    (tmp_path / "people/other/broken.jpg").write_bytes(b"broken")
    options = ["--artifact", sface_artifact.folder, "--hidden", 4, "--out", tmp_path / "out"]
    people = ["--data", tmp_path / "people", "--target"]
    learned = [*options, "--held-out", 0.4, "--rate", 1]
    code, said, _ = dnn(*people, "obama", *learned)
    assert code == 0
    assert "3 examples to learn from, 128 features each" in said
    assert "pictures without a face, left out: 1" in said
    assert "2 held out: split by image (the same people on both sides), seed 1" in said
    with np.load(tmp_path / "out/features.npz") as features:
        np.testing.assert_array_equal(features["y"], [[1, 1, 1, 0, 0]])
    code, _, said = dnn(*people, "messi", *options)
    assert code == 1
    assert (
        said == "error: expected a subfolder 'messi' and others in 'people', found obama, other\n"
    )


def test_a_plane_is_square_and_goes_through_its_origin() -> None:
    generator = np.random.default_rng(5)
    X = generator.standard_normal((6, 40)) * np.array([[9, 1, 1, 5, 1, 1]]).T + 3
    for text in ("pca", "3,1"):
        plane = plane_of(text, X)
        np.testing.assert_allclose(plane.axes @ plane.axes.T, np.eye(2), atol=1e-12)
        at = generator.standard_normal((2, 7))
        np.testing.assert_allclose(plane.project(plane.points(at)), at, atol=1e-12)
    np.testing.assert_allclose(plane_of("3,1", X).project(X), X[[3, 1]], atol=1e-12)
    pca = plane_of("pca", X)
    assert abs(pca.axes[0, 0]) > 0.9 < abs(pca.axes[1, 3])
    np.testing.assert_allclose(pca.project(X).mean(axis=1), 0, atol=1e-12)
    # Fewer examples than features still have two axes.
    assert plane_of("pca", X[:, :1]).axes.shape == (2, 6)
