"""What cannot be measured is one clear sentence, and leaves nothing behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from model.errors import SemblanceError
from tests.faces import Faces
from tests.integration.evaluation_samples import pairs_of
from tests.integration.prepare_samples import place, portraits, refused, training
from tests.pictures import encoded, without_face
from training.cli import app

HEADER = "probe,reference,same\n"


@pytest.fixture(scope="module")
def of(faces: Faces) -> dict[str, bytes]:
    return {name: encoded(pixels) for name, pixels in portraits(faces).items()}


def sentence(*arguments: str | Path) -> str:
    """What the command is stopped by; the process around it prints this as its one line."""
    result = CliRunner().invoke(app, [*map(str, arguments), "--quiet"])
    assert isinstance(result.exception, (SemblanceError, ValueError)), result.output
    assert result.output == ""
    text = str(result.exception)
    assert "\n" not in text
    return text


def people(folder: Path, pictures: dict[str, bytes]) -> Path:
    for name, content in pictures.items():
        place(folder / name, content)
    return folder


@pytest.mark.parametrize(
    ("pictures", "said"),
    [
        (["ann/1"], "expected two pictures of one identity at least"),
        (["ann/1", "ann/2"], "expected pictures of two identities at least"),
        (["ann/1", "bob/1"], "make a genuine pair, found none among 2 pictures"),
        (["1", "2"], "expected each picture in a folder of its identity, found '1.png' outside"),
        ([], "found no face in 0 pictures"),
    ],
    ids=["one picture", "one identity", "no genuine pair", "no folders", "empty"],
)
def test_folders_without_pairs(
    tmp_path: Path, of: dict[str, bytes], pictures: list[str], said: str
) -> None:
    content = [of["obama"], of["obama2"]]
    folder = people(
        tmp_path / "people", {f"{n}.png": c for n, c in zip(pictures, content, strict=False)}
    )
    folder.mkdir(exist_ok=True)
    assert said in sentence("evaluate", "--data", folder, "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_pictures_without_a_face(tmp_path: Path) -> None:
    folder = people(tmp_path / "people", {"a/1.png": encoded(without_face()), "b/1.png": b"no"})
    assert "found no face in 2 pictures" in sentence("report", "--data", folder)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "expected one of --lfw, --data, --prepared, --pairs, found none"),
        (["--data", "x", "--lfw", "x"], "found --lfw and --data"),
        (["--pairs", "x"], "expected --pairs and --images together"),
        (["--data", "nowhere"], "expected a folder, found none named 'nowhere'"),
        (["--data", ".", "--threshold", "1.5"], "expected --threshold in 0 .. 1, found 1.5"),
        (["--data", ".", "--prior", "0"], "expected --prior between 0 and 1, found 0"),
        (["--data", ".", "--references", "0"], "expected at least 1 reference, found 0"),
    ],
)
def test_options_that_do_not_fit(options: list[str], said: str) -> None:
    assert said in sentence("evaluate", *options)


def test_an_unknown_artifact(tmp_path: Path) -> None:
    (tmp_path / "people").mkdir()
    line = refused(training("evaluate", tmp_path / "none", "--data", tmp_path / "people"))
    assert "expected an artifact with manifest.json, found none in 'none'" in line


def test_chips_of_another_tower(tmp_path: Path, of: dict[str, bytes]) -> None:
    folder = people(tmp_path / "paper", {"chips/ann/1.png": of["obama"]})
    (folder / "splits.json").write_text(json.dumps({"train": [], "dev": [], "test": ["ann/1.png"]}))
    line = sentence("evaluate", "--prepared", folder)
    assert "expected chips of 190 x 174 pixels, which this model takes, found 'ann/1.png'" in line
    assert "split of train, dev, test, all; found 'tset'" in sentence(
        "evaluate", "--prepared", folder, "--split", "tset"
    )
    assert "expected chips in the split 'dev', found none" in sentence(
        "evaluate", "--prepared", folder, "--split", "dev"
    )


def outside(folder: Path) -> str:
    folder.joinpath("splits.json").write_text('{"train": [], "dev": [], "test": ["../1.png"]}')
    return "expected names such as 'identity/001.png' in splits.json, found '../1.png'"


def gone(folder: Path) -> str:
    folder.joinpath("splits.json").write_text('{"train": [], "dev": [], "test": ["ann/9.png"]}')
    return "expected the chip 'ann/9.png', found nothing there"


def broken(folder: Path) -> str:
    place(folder / "chips" / "ann" / "2.png", b"no picture")
    folder.joinpath("splits.json").write_text('{"train": [], "dev": [], "test": ["ann/2.png"]}')
    return "expected a picture in 'ann/2.png', found something else"


def other(folder: Path) -> str:
    folder.joinpath("splits.json").write_text("[]")
    return "expected splits.json with lists of chips named train, dev, test"


@pytest.mark.parametrize("spoil", [outside, gone, broken, other])
def test_a_prepared_folder_that_is_not_whole(
    tmp_path: Path, of: dict[str, bytes], spoil: Callable[[Path], str]
) -> None:
    folder = people(tmp_path / "paper", {"chips/ann/1.png": of["obama"]})
    said = spoil(folder)
    assert said in sentence("evaluate", "--prepared", folder)


def test_pairs_whose_pictures_are_not_there(tmp_path: Path, of: dict[str, bytes]) -> None:
    images = people(tmp_path / "images", {"a.png": of["obama"]})
    (tmp_path / "secret.png").write_bytes(of["biden"])
    (images / "link.png").symlink_to(tmp_path / "secret.png")
    table = tmp_path / "pairs.csv"
    table.write_text(HEADER + "a.png,b.png,1\n")
    told = sentence("evaluate", "--pairs", table, "--images", images)
    assert "expected the picture 'b.png' of 'pairs.csv', found nothing there" in told
    table.write_text(HEADER + "a.png,link.png,1\n")
    told = sentence("evaluate", "--pairs", table, "--images", images)
    assert "expected a path below 'images', found 'link.png', which leads out" in told


def test_calibrating_on_too_little(tmp_path: Path, of: dict[str, bytes]) -> None:
    folder = people(
        tmp_path / "people",
        {
            "a/1.png": of["obama"],
            "a/2.png": of["obama2"],
            "a/3.png": of["obama3"],
            "b/1.png": of["biden"],
            "b/2.png": of["biden"],
            "c/1.png": of["astronaut"],
        },
    )
    out = tmp_path / "out"
    told = sentence("calibrate", "models/fused", "--data", folder, "--out", out)
    assert "expected at least 4 identities, to fit on some and measure on others, found 3" in told
    assert not out.exists()


def test_an_out_folder_with_something_else(tmp_path: Path, of: dict[str, bytes]) -> None:
    folder = people(tmp_path / "people", {"a/1.png": of["obama"]})
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    told = sentence("evaluate", "--data", folder, "--out", tmp_path / "mine")
    assert "expected an earlier evaluation or nothing at 'mine', found something else" in told
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_groups_of_other_people(tmp_path: Path, of: dict[str, bytes]) -> None:
    folder = people(tmp_path / "people", {"a/1.png": of["obama"], "b/1.png": of["biden"]})
    table = tmp_path / "groups.csv"
    table.write_text("identity,group\nzoe,x\n")
    told = sentence("evaluate", "--data", folder, "--groups", table)
    assert "expected groups of identities such as 'a', found none of them" in told
    told = sentence(
        "evaluate",
        "--pairs",
        pairs_of(tmp_path / "pairs.csv"),
        "--images",
        folder,
        "--groups",
        table,
    )
    assert "expected a column picture in line 1 of 'groups.csv', found identity" in told
