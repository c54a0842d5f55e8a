"""The paper's layout, `inspect`, and a real data set where this machine has one."""

from __future__ import annotations

import csv
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from model.artifact import Artifact
from tests.faces import Faces, shared_data
from tests.integration.prepare_samples import clean_set, training
from training.data.errors import DataError
from training.data.options import Options
from training.data.paper import PaperLayout, choose_folders
from training.data.prepare import prepare

NAMES = [f"ann/{number:03d}.png" for number in range(400)]
OTHERS = [f"{name}/{number:03d}.png" for name in ("bob", "cy") for number in range(150)]


def test_folders_are_disjoint_and_seeded() -> None:
    folders = choose_folders(NAMES + OTHERS, PaperLayout("ann"), seed=1)
    assert [len(set(part)) for part in folders.values()] == [191, 191, 191]
    assert not set(folders["anchor"]) & set(folders["positive"])
    assert {chip.split("/")[0] for chip in folders["negative"]} == {"bob", "cy"}
    assert folders == choose_folders(OTHERS + NAMES, PaperLayout("ann"), seed=1)
    assert folders != choose_folders(NAMES + OTHERS, PaperLayout("ann"), seed=2)


@pytest.mark.parametrize("count", [192, 300, 381])
def test_with_overlap_no_picture_meets_itself(count: int) -> None:
    layout = PaperLayout("ann", overlap=True)
    folders = choose_folders(NAMES[:count] + OTHERS, layout, seed=1)
    assert [len(set(part)) for part in folders.values()] == [191, 191, 191]
    pairs = zip(folders["anchor"], folders["positive"], strict=True)
    assert all(anchor != positive for anchor, positive in pairs)


def test_too_few_pictures_are_said_with_a_way_out() -> None:
    with pytest.raises(DataError, match=r"expected 382 pictures of 'ann'.*found 300") as caught:
        choose_folders(NAMES[:300] + OTHERS, PaperLayout("ann"), seed=1)
    assert "--per-folder 150" in str(caught.value)
    assert "--overlap" in str(caught.value)
    with pytest.raises(DataError, match=r"others than 'ann'.*found 20"):
        choose_folders(NAMES + OTHERS[:20], PaperLayout("ann"), seed=1)
    with pytest.raises(DataError, match="the target 'dan', found only: ann, bob, cy"):
        choose_folders(NAMES + OTHERS, PaperLayout("dan"), seed=1)


def test_the_commands_make_folders_and_sheets(tmp_path: Path, faces: Faces) -> None:
    source, out = clean_set(tmp_path / "set", faces), tmp_path / "out"
    paper = ("--preset", "paper", "--target", "barack")
    done = training("prepare", source, out, *paper, "--per-folder", "2", "--quiet")
    assert done.returncode == 0, done.stderr
    assert "split by image" in done.stdout
    for name in ("anchor", "positive", "negative"):
        made = sorted((out / name).iterdir())
        assert len(made) == 2
        for path in made:
            assert ("barack" in path.name) == (name != "negative")
            with PillowImage.open(path) as chip:
                assert (chip.size, chip.mode, chip.format) == ((105, 105), "RGB", "PNG")
    inspected = training("inspect", out, "--quiet")
    assert inspected.returncode == 0, inspected.stderr
    assert "barack" in inspected.stdout
    assert {path.stem for path in (out / "sheets").iterdir()} == {"astronaut", "barack", "joe"}
    with (out / "counts.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["identity"]: row["kept"] for row in rows} == dict.fromkeys(
        ("astronaut", "barack", "joe"), "4"
    )
    with PillowImage.open(out / "sheets" / "joe.png") as sheet:
        # Four chips, not an empty page.
        assert np.asarray(sheet).std() > 20
    with PillowImage.open(out / "counts.png") as chart:
        assert chart.format == "PNG"


def test_footballers_are_cleaned(tmp_path: Path, sface_artifact: Artifact) -> None:
    shared = shared_data()
    if shared is None or not (shared / "footballers.tgz").is_file():
        pytest.skip("the footballers are not on this machine")
    players = ("lionel_messi", "manuel_neuer", "roy_keane", "neymar_jr")
    with tarfile.open(shared / "footballers.tgz") as packed:
        for member in packed:
            _, player, file = (*member.name.split("/"), "", "")[:3]
            if member.isfile() and player in players and 80 <= int(file[:3]) <= 110:
                content = packed.extractfile(member)
                assert content is not None
                path = tmp_path / "set" / player / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.read())
    done = prepare(
        tmp_path / "set", tmp_path / "out", sface_artifact, Options(quiet=True, clean=True)
    )
    dropped = {one["file"] for one in done.report["dropped"]}
    # Seen by eye: Ronaldo and Maradona in the folder of Messi.
    assert {"lionel_messi/102.jpg", "lionel_messi/110.jpg"} <= dropped
    counts = done.report["counts"]
    assert 0.7 < counts["kept"] / counts["pictures"] < 0.99
