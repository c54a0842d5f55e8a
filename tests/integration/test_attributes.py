"""`attributes`, and `evaluate` and `report` by them, as a user runs them."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from model.artifact import Artifact
from model.faces import Detector
from model.runtimes.openvino_runtime import OpenVinoRuntime
from tests.faces import Faces
from tests.integration.evaluation_samples import folder_of, pairs_of, prepared_of
from tests.integration.prepare_samples import (
    many_portraits,
    mirrored,
    place,
    refused,
    smaller,
    training,
)
from tests.pictures import encoded, rgb, without_face
from tests.running import ROOT
from training.attributes.measure import COLUMNS
from training.cli import app
from training.data.errors import DataError
from training.pairs import all_pairs
from training.pictures import embed_folder

Table = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, faces: Faces) -> Path:
    return folder_of(tmp_path_factory.mktemp("people") / "people", faces)


@pytest.fixture(scope="module")
def table(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("tables") / "attributes.csv"
    done = training("attributes", pictures, "--out", out, "--quiet")
    assert done.returncode == 0, done.stderr
    assert "16 pictures, 1 of them without a face" in done.stdout
    return out


def rows_of(path: Path) -> Table:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["picture"]: row for row in csv.DictReader(file)}


def test_a_row_for_each_picture(table: Path) -> None:
    rows = rows_of(table)
    assert table.read_text().splitlines()[0] == ",".join(COLUMNS)
    assert len(rows) == 16
    assert {row["identity"] for row in rows.values()} == {"astronaut", "barack", "joe", "wrong"}
    assert set(list(rows["wrong/3.png"].values())[2:]) == {""}
    assert [path.name for path in table.parent.iterdir()] == ["attributes.csv"]


def test_a_mirror_turns_the_yaw_around_and_half_the_size_halves_the_eyes(
    faces: Faces, tmp_path: Path
) -> None:
    pixels = rgb(faces.read("obama2.jpg"))
    pixels = smaller(pixels, 600 / max(pixels.shape))
    place(tmp_path / "in" / "him" / "as_is.png", encoded(pixels))
    place(tmp_path / "in" / "him" / "mirrored.png", encoded(mirrored(pixels)))
    place(tmp_path / "in" / "him" / "small.png", encoded(smaller(pixels, 0.5)))
    done = training("attributes", tmp_path / "in", "--out", tmp_path / "out.csv", "--quiet")
    assert done.returncode == 0, done.stderr
    rows = rows_of(tmp_path / "out.csv")
    as_is, mirror, small = (rows[f"him/{name}.png"] for name in ("as_is", "mirrored", "small"))
    # He looks to our left.
    assert float(as_is["yaw"]) < -0.2
    assert float(mirror["yaw"]) == pytest.approx(-float(as_is["yaw"]), abs=0.1)
    assert float(small["yaw"]) == pytest.approx(float(as_is["yaw"]), abs=0.1)
    assert float(small["eyes_px"]) == pytest.approx(float(as_is["eyes_px"]) / 2, rel=0.1)
    assert float(mirror["brightness"]) == pytest.approx(float(as_is["brightness"]), rel=0.05)


@pytest.mark.long
def test_evaluate_by_what_was_measured(
    pictures: Path, table: Path, artifact: Artifact, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    options = ("--groups", table, "--group-by", "yaw, eyes_px", "--out", out, "--quiet")
    done = training("evaluate", "--data", pictures, *options)
    assert done.returncode == 0, done.stderr
    assert "yaw difference" in done.stdout
    assert "eyes_px, the lower" in done.stdout
    assert "sharpness" not in done.stdout
    found = json.loads((out / "results.json").read_text())["groups"]
    near, far = (one for one in found if one["attribute"] == "yaw difference")
    # By hand: the genuine pairs, sorted by the difference of yaw.
    runtime = OpenVinoRuntime(artifact)
    embedded = embed_folder(pictures, Detector(artifact.detector), runtime, quiet=True)
    pairs = all_pairs(embedded, runtime, quiet=True)
    yaw = {name: np.float32(row["yaw"]) for name, row in rows_of(table).items() if row["yaw"]}
    difference = [abs(yaw[embedded.names[a]] - yaw[embedded.names[b]]) for a, b in pairs.rows]
    genuine = sorted(zip(np.array(difference)[pairs.same], pairs.genuine, strict=True))
    half = (len(genuine) + 1) // 2
    threshold = artifact.manifest.detection_threshold
    assert near["group"] == f"up to {genuine[half - 1][0]:.4g}"
    assert far["group"] == near["group"].replace("up to", "above")
    for one, part in ((near, genuine[:half]), (far, genuine[half:])):
        assert one["true_matches"] == sum(score > threshold for _, score in part)
        assert one["true_matches"] + one["false_non_matches"] == len(part)
    assert near["at_fmr_1e3_own"] is None


def test_a_report_shows_groups_of_each_column(pictures: Path, table: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = training("report", "--data", pictures, "--groups", table, "--out", page, "--quiet")
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    for shown in ("By group", "yaw difference", "sharpness, the lower", "up to"):
        assert shown in text


def test_chips_and_lists_of_pairs_are_grouped_too(
    pictures: Path, table: Path, sface_artifact: Artifact, tmp_path: Path
) -> None:
    chips = prepared_of(tmp_path / "prepared", pictures, sface_artifact)
    done = training("attributes", chips, "--out", tmp_path / "chips.csv", "--quiet")
    assert done.returncode == 0, done.stderr
    of_chips, of_pictures = rows_of(tmp_path / "chips.csv"), rows_of(table)
    seen = [name for name in of_chips if of_chips[name]["yaw"]]
    assert len(seen) >= 12
    # Landmarks of a face that fills its picture are less exact.
    yaw = [[float(rows[name]["yaw"]) for name in seen] for rows in (of_chips, of_pictures)]
    assert np.asarray(np.corrcoef(yaw))[0, 1] > 0.85
    of = ("--prepared", chips, "--groups", tmp_path / "chips.csv")
    done = training("evaluate", sface_artifact.folder, *of, "--quiet")
    assert done.returncode == 0, done.stderr
    listed = pairs_of(tmp_path / "pairs.csv")
    options = ("--groups", table, "--group-by", "brightness", "--out", tmp_path / "out")
    done = training("evaluate", "--pairs", listed, "--images", pictures, *options, "--quiet")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "out" / "results.json").read_text())["groups"]
    assert {"group", "brightness difference"} <= {one["attribute"] for one in found}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("picture,age\nbarack/9.png,30\n", "found 'barack/9.png', which is none"),
        ("identity,group\nzoe,x\n", "expected groups of identities such as 'astronaut'"),
        ("picture,group\nwrong/3.png,x\n", "expected attributes of pictures such as 'astronaut/0"),
        ("person,group\nbarack,x\n", "expected a column identity or picture in line 1"),
        ("identity,group\nbarack,x\nbarack,y\n", "found 'barack' again, line 3"),
        ("", "expected a header, found 'groups.csv' empty"),
    ],
)
def test_a_table_that_does_not_fit(pictures: Path, tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "groups.csv"
    path.write_text(text)
    out = tmp_path / "out"
    options = ("--groups", str(path), "--out", str(out), "--quiet")
    result = CliRunner().invoke(app, ["evaluate", "--data", str(pictures), *options])
    assert isinstance(result.exception, DataError), result.output
    assert said in str(result.exception)
    assert "\n" not in str(result.exception)
    assert not out.exists()


def test_what_cannot_be_measured(pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("picture,age\n")
    line = refused(training("attributes", pictures, "--out", tmp_path / "mine.csv", "--quiet"))
    assert "expected an earlier table or nothing at 'mine.csv'" in line
    assert (tmp_path / "mine.csv").read_text() == "picture,age\n"
    place(tmp_path / "loose" / "1.png", encoded(without_face()))
    line = refused(training("attributes", tmp_path / "loose", "--out", tmp_path / "a.csv"))
    assert "found '1.png' outside of any" in line
    line = refused(training("attributes", tmp_path / "no", "--out", tmp_path / "a.csv"))
    assert "expected a folder of pictures, found none at 'no'" in line
    line = refused(training("evaluate", "--data", pictures, "--group-by", "yaw", "--quiet"))
    assert "expected --groups with --group-by" in line
    assert not (tmp_path / "a.csv").exists()


def bench(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *map(str, arguments)]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False
    )


@pytest.mark.long
def test_the_pose_split_of_one_artifact_against_itself(
    faces: Faces, sface_artifact: Artifact, tmp_path: Path
) -> None:
    folder = many_portraits(tmp_path / "people", faces, 60)
    artifact = ("--artifact", sface_artifact.folder)
    options = ("--everyone", *artifact, *artifact, "--quiet")
    done = bench("bench.pose", "--data", folder, *options)
    assert done.returncode == 0, done.stderr
    heading, _, *lines = done.stdout.splitlines()
    assert "3 identities, 60 of 60 pictures with a face" in heading
    assert "570 genuine and 1,200 impostor pairs" in heading
    rows = [line.strip("| ").split(" | ") for line in lines[2:]]
    assert len(rows) == 8
    assert [row[:5] for row in rows[:4]] == [row[:5] for row in rows[4:]]
    assert all(row[5:] == ["0.0 %", "0.0 .. 0.0 %"] or row[3] == "0.00 %" for row in rows[4:])


def test_degraded_probes(faces: Faces, sface_artifact: Artifact, tmp_path: Path) -> None:
    from bench.degradations import PLAIN, degradations
    from bench.degraded import Bench, open_pictures, row_of
    from training.pictures import picture_names

    folder = many_portraits(tmp_path / "people", faces, 60)
    detector, runtime = Detector(sface_artifact.detector), OpenVinoRuntime(sface_artifact)
    pictures = open_pictures(folder, picture_names(folder), detector)
    assert len(pictures) == 60
    made = Bench(pictures, detector, runtime)
    plain = made.outcome(PLAIN)
    assert plain is not None
    assert (plain.probes, plain.missed, plain.fnmr) == (60, 0, 0)
    # Each pair twice: either picture is the probe once.
    assert plain.fmr == pytest.approx(1 / 1200)
    of = {one.name: one for one in degradations()}
    tiny = made.outcome(of["eyes 6 px apart"])
    turned = made.outcome(of["turned in the plane by 90 degrees"])
    assert tiny is not None
    assert turned is not None
    for poor in (tiny, turned):
        assert poor.missed + poor.fnmr > 0
        assert poor.lost >= poor.fnmr
        assert f"| {100 * poor.missed / 60:.1f} % |" in row_of("poor", poor)
