"""`python -m training scratch-siamese`: what is held out, what is written, what is refused."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.integration.prepare_samples import refused, training
from training.cli import main
from training.scratch.held_out import read_divided


def coloured(folder: Path, people: int, each: int = 8) -> Path:
    """Noise with a hue and a bright band of its own for each identity."""
    generator = np.random.default_rng(1)
    for number in range(people):
        place = folder / f"p{number:02d}"
        place.mkdir(parents=True)
        for picture in range(each):
            pixels = generator.integers(0, 90, (40, 40, 3))
            pixels[..., number % 3] += 60
            row = (number // 3) * 9
            pixels[row : row + 9] += 100
            Image.fromarray(pixels.astype(np.uint8)).save(place / f"{picture}.png")
    return folder


def test_it_learns_measures_and_draws(tmp_path: Path) -> None:
    chips, out = coloured(tmp_path / "chips", 10), tmp_path / "deep" / "out"
    options = ("--iterations", "25", "--filters", "4,8", "--size", "16", "--held-out", "0.3")
    done = training("scratch-siamese", chips, *options, "--out", out, "--quiet")
    assert done.returncode == 0, done.stderr
    assert "held out by identity, seed 1" in done.stdout
    assert "56 chips of 7 identities" in done.stdout
    assert "24 chips of 3" in done.stdout
    results = json.loads((out / "results.json").read_text())
    assert len(results["losses"]) == 25
    assert results["learned"]["train"] > results["untrained"]["train"]
    assert f"held out {results['learned']['held_out']:.2%}" in done.stdout
    with np.load(out / "parameters.npz") as parameters:
        assert parameters["W2"].shape == (5, 5, 4, 8)
        assert parameters["W3"].shape == (200, 16)
    for name in ("loss.png", "distances.png"):
        with Image.open(out / name) as plot:
            assert np.asarray(plot.convert("L")).std() > 10
    assert {path.name for path in out.iterdir()} == {
        "loss.png", "distances.png", "parameters.npz", "results.json",
    }  # fmt: skip
    # The same seed gives the same network, the plain loss another one.
    again = training("scratch-siamese", chips, *options, "--out", tmp_path / "again", "--quiet")
    assert again.returncode == 0
    with np.load(tmp_path / "again/parameters.npz") as one, np.load(out / "parameters.npz") as two:
        np.testing.assert_array_equal(one["W1"], two["W1"])
    plain = training(
        "scratch-siamese", chips, *options, "--loss", "pairs", "--out", tmp_path / "c", "--quiet"
    )
    assert plain.returncode == 0, plain.stderr
    assert json.loads((tmp_path / "c/results.json").read_text())["rate"] == 0.02


def test_who_is_held_out_is_nobody_who_was_learned_from(tmp_path: Path) -> None:
    folder = coloured(tmp_path / "chips", 6, each=3)
    divided = read_divided(folder, 0.4, seed=2)
    learned, held = set(divided.train.identities), set(divided.held_out.identities)
    assert not learned & held
    assert (len(learned), len(held)) == (4, 2)
    assert divided.how == "by identity, seed 2"
    assert set(read_divided(folder, 0.4, seed=3).held_out.identities) != held


def test_few_people_are_held_out_by_image_and_it_is_said(tmp_path: Path) -> None:
    divided = read_divided(coloured(tmp_path / "chips", 3), 0.25, seed=1)
    assert divided.how.startswith("by image: the same people are on both sides, seed 1")
    assert "3 identities are too few" in divided.how
    assert (len(divided.train.chips), len(divided.held_out.chips)) == (18, 6)


def test_what_prepare_split_is_taken_as_it_is(tmp_path: Path) -> None:
    coloured(tmp_path / "out" / "chips", 6, each=3)
    files = {
        name: [f"{name}/{n}.png" for n in range(3)] for name in (f"p{i:02d}" for i in range(6))
    }
    names = sorted(files)
    splits = {
        "train": [file for name in names[:3] for file in files[name]],
        "dev": files[names[3]],
        "test": [file for name in names[4:] for file in files[name]],
    }
    (tmp_path / "out" / "splits.json").write_text(json.dumps(splits))
    divided = read_divided(tmp_path / "out", 0.9, seed=1)
    assert set(divided.train.identities) == set(names[:3])
    assert set(divided.held_out.identities) == set(names[4:])
    assert divided.how == "by identity, as prepare split them"
    (tmp_path / "out" / "splits.json").write_text("[]")
    with pytest.raises(ValueError, match=r"expected splits in splits\.json"):
        read_divided(tmp_path / "out", 0.2, seed=1)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--rate", "0"], "expected a rate above 0, found 0"),
        (["--iterations", "0"], "expected at least 1 iteration, found 0"),
        (["--batch", "2"], "expected a batch of at least 4, found 2"),
        (["--filters", "4"], "expected two numbers of filters such as 16,32, found '4'"),
        (["--filters", "4,999999999999"], "expected two numbers of filters such as 16,32"),
        (["--held-out", "1"], "expected a held-out share between 0 and 1, found 1"),
        (["--loss", "hinge"], "expected the loss batch or pairs, found 'hinge'"),
        ([], "expected two identities to learn from in 'chips', one of them with two pictures"),
    ],
)
def test_a_wrong_option_is_one_clear_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    sentence: str,
) -> None:
    (tmp_path / "chips").mkdir()
    out = tmp_path / "out"
    command = ["training", "scratch-siamese", str(tmp_path / "chips"), "--out", str(out), *options]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert (ended.value.code, said.out) == (1, "")
    assert said.err.startswith(f"error: {sentence}")
    assert said.err.count("\n") == 1
    assert not out.exists()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    line = refused(training("scratch-siamese", tmp_path / "none", "--out", tmp_path / "out"))
    assert line == "error: expected a folder of identities, found none at 'none'"
