"""`prepare` on small data sets: what is kept, what is dropped and why, the splits."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image as PillowImage

from model.alignment import align
from model.artifact import Artifact
from model.faces import Detector
from tests.faces import Faces
from tests.integration.prepare_samples import clean_set, dirty_set, packed, place, web_set
from tests.pictures import rgb
from training.data.chips import Tower
from training.data.errors import DataError
from training.data.options import Options
from training.data.prepare import Prepared, prepare
from training.data.splits import Shares, SplitBy, split_chips

QUIET = Options(quiet=True)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory, faces: Faces) -> Path:
    return clean_set(tmp_path_factory.mktemp("clean") / "set", faces)


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory, faces: Faces) -> Path:
    return dirty_set(tmp_path_factory.mktemp("dirty") / "set", faces)


def reasons(done: Prepared) -> dict[str, str]:
    return {one["file"]: one["reason"] for one in done.report["dropped"]}


def chips(out: Path) -> set[str]:
    return {path.relative_to(out / "chips").as_posix() for path in (out / "chips").rglob("*.png")}


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_every_dropped_picture_has_its_reason(
    tmp_path: Path, dirty: Path, sface_artifact: Artifact
) -> None:
    out = tmp_path / "out"
    done = prepare(packed(dirty, tmp_path / "a.tgz"), out, sface_artifact, QUIET)
    assert reasons(done) == {
        "barack/4-same.bmp": "exact_duplicate",
        "barack/5-broken.jpg": "unreadable",
        "barack/6-nobody.png": "no_face",
        "barack/7-notes.txt": "unreadable",
        "joe/4-barack.png": "exact_duplicate_of_another_identity",
    }
    details = {one["file"]: one["detail"] for one in done.report["dropped"]}
    assert details["barack/4-same.bmp"] == "the same pixels as barack/0.png"
    assert "barack/0.png" in details["joe/4-barack.png"]
    (near,) = done.report["near_duplicates"]
    assert (near["file"], near["of"]) == ("barack/8-near.jpg", "barack/2.png")
    # 0.jpg and 0.png of one folder do not write over each other.
    assert {"joe/0.png", "joe/0_png.png", "barack/8-near.png"} <= chips(out)
    assert len(chips(out)) == done.report["counts"]["kept"] == 14
    assert done.report["identities"]["barack"] == {"pictures": 9, "kept": 5, "dropped": 4}
    assert read(out / "report.json") == done.report
    hidden = [path.name for path in tmp_path.rglob("*") if path.name.startswith(".")]
    assert hidden == [".DS_Store"], "nothing half written is left"


def test_near_duplicates_go_on_request(
    tmp_path: Path, dirty: Path, sface_artifact: Artifact
) -> None:
    options = Options(quiet=True, drop_near_duplicates=True)
    done = prepare(dirty, tmp_path / "out", sface_artifact, options)
    assert reasons(done)["barack/8-near.jpg"] == "near_duplicate"
    assert "barack/8-near.png" not in chips(tmp_path / "out")
    assert "barack/2.png" in chips(tmp_path / "out")


def test_a_chip_is_what_the_service_would_see(
    tmp_path: Path, clean: Path, sface_artifact: Artifact
) -> None:
    image = rgb((clean / "joe" / "0.png").read_bytes())
    marks = Detector(sface_artifact.detector).detect(image)[0].landmarks
    template = sface_artifact.manifest.template
    for tower, side in ((Tower.SFACE, 112), (Tower.KOCH, 105)):
        out = tmp_path / tower
        prepare(clean, out, sface_artifact, Options(quiet=True, tower=tower))
        with PillowImage.open(out / "chips" / "joe" / "0.png") as chip:
            assert (chip.format, chip.mode) == ("PNG", "RGB")
            expected = align(image, marks, template * np.float32(side / 112), (side, side))
            np.testing.assert_array_equal(np.asarray(chip), expected)


def test_a_second_run_does_only_what_is_missing(
    tmp_path: Path, faces: Faces, sface_artifact: Artifact
) -> None:
    source, out = clean_set(tmp_path / "set", faces), tmp_path / "out"
    first = prepare(source, out, sface_artifact, QUIET)
    assert (first.looked, first.cut) == (12, 12)
    again = prepare(source, out, sface_artifact, QUIET)
    assert (again.looked, again.cut, again.report) == (0, 0, first.report)
    (out / "chips" / "joe" / "0.png").unlink()
    place(source / "joe" / "1.png", (source / "joe" / "2.png").read_bytes())
    os.utime(source / "joe" / "1.png", (1, 1))
    (source / "barack" / "3.png").unlink()
    changed = prepare(source, out, sface_artifact, QUIET)
    assert (changed.looked, changed.cut) == (1, 2)
    assert reasons(changed) == {"joe/2.png": "exact_duplicate"}
    assert not {"joe/2.png", "barack/3.png"} & chips(out)


def test_other_settings_need_another_folder(
    tmp_path: Path, clean: Path, sface_artifact: Artifact
) -> None:
    out = tmp_path / "out"
    prepare(clean, out, sface_artifact, QUIET)
    before = chips(out)
    with pytest.raises(DataError, match="was made with tower = sface, now it is koch"):
        prepare(clean, out, sface_artifact, Options(quiet=True, tower=Tower.KOCH))
    assert chips(out) == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("keep me")
    with pytest.raises(DataError, match="to be empty"):
        prepare(clean, tmp_path / "mine", sface_artifact, QUIET)
    assert (tmp_path / "mine" / "letter.txt").read_text() == "keep me"
    with pytest.raises(DataError, match="outside of the pictures' folder"):
        prepare(clean, clean / "out", sface_artifact, QUIET)


def test_splits_are_saved_and_said(tmp_path: Path, clean: Path, sface_artifact: Artifact) -> None:
    out = tmp_path / "out"
    by_identity = prepare(clean, out, sface_artifact, QUIET).report
    splits = read(out / "splits.json")
    owners = [{chip.split("/")[0] for chip in part} for part in splits.values()]
    assert sum(map(len, owners)) == len(set.union(*owners)) == 3
    assert set().union(*splits.values()) == chips(out)
    assert by_identity["split"]["by"] == "identity"
    by_image = prepare(clean, out, sface_artifact, Options(quiet=True, split=SplitBy.IMAGE)).report
    assert any("split by image" in note for note in by_image["notes"])
    assert set().union(*read(out / "splits.json").values()) == chips(out)


def test_splits_hold_their_shares_and_follow_the_seed() -> None:
    names = [f"p{person:03d}/{number}.png" for person in range(100) for number in range(10)]
    for by in SplitBy:
        splits = split_chips(names, by, Shares(0.1, 0.2), seed=3)
        assert {name: len(part) for name, part in splits.items()} == {
            "train": 700,
            "dev": 100,
            "test": 200,
        }
        assert sorted(name for part in splits.values() for name in part) == names
        assert split_chips(names[::-1], by, Shares(0.1, 0.2), seed=3) == splits
        assert split_chips(names, by, Shares(0.1, 0.2), seed=4) != splits
    with pytest.raises(DataError, match="leave some for training"):
        Shares(0.5, 0.5)


def test_cleaning_takes_the_face_that_comes_back(
    tmp_path: Path, faces: Faces, sface_artifact: Artifact
) -> None:
    source = web_set(tmp_path / "set", faces)
    plain = prepare(source, tmp_path / "plain", sface_artifact, QUIET)
    cleaned = prepare(source, tmp_path / "out", sface_artifact, Options(quiet=True, clean=True))
    assert reasons(plain) == {}
    assert reasons(cleaned) == {"barack/5-other.png": "disagrees_with_folder"}
    faces_of = {one.picture.name: one.face for one in cleaned.decision.kept}
    assert faces_of.pop("barack/4-both.png") != 0
    assert set(faces_of.values()) == {0}
    with PillowImage.open(tmp_path / "out" / "dropped.png") as sheet:
        assert sheet.format == "PNG"
    assert not (tmp_path / "plain" / "dropped.png").exists()
    again = prepare(source, tmp_path / "out", sface_artifact, Options(quiet=True, clean=True))
    assert (again.looked, again.cut, again.report) == (0, 0, cleaned.report)
