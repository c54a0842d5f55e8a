"""`evaluate` and `report` as a user runs them, on each form of data."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as PillowImage

from model.artifact import Artifact
from model.faces import Detector
from model.runtimes.openvino_runtime import OpenVinoRuntime
from tests.faces import Faces
from tests.integration.evaluation_samples import folder_of, lfw_of, pairs_of, prepared_of
from tests.integration.prepare_samples import refused, training
from training.evaluation.sources import Choice, open_corpus
from training.pictures import embed_folder

PLOTS = {"roc.png", "det.png", "scores.png", "reliability.png"}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, faces: Faces) -> Path:
    return folder_of(tmp_path_factory.mktemp("people") / "people", faces)


def test_evaluate_a_folder_of_identities(
    pictures: Path, artifact: Artifact, tmp_path: Path
) -> None:
    (tmp_path / "groups.csv").write_text("identity,group\nbarack,men\njoe,men\nwrong,men\n")
    options = ("--groups", tmp_path / "groups.csv", "--references", "2", "--threshold", "0.3")
    done = training("evaluate", "--data", pictures, *options, "--out", tmp_path / "out", "--quiet")
    assert done.returncode == 0, done.stderr
    assert "TAR at FMR" in done.stdout
    assert "15 pictures with a face, 1 without" in done.stdout
    assert "warning: FMR 1e-02: 84 impostor pairs hold about 0.8 false matches" in done.stdout
    assert "identities without a group, in no row of the groups: 1" in done.stdout
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*PLOTS, "results.json"}
    for name in PLOTS:
        with PillowImage.open(tmp_path / "out" / name) as plot:
            assert plot.width > 600
    # All by hand: every pair through the runtime, one by one.
    runtime = OpenVinoRuntime(artifact)
    embedded = embed_folder(pictures, Detector(artifact.detector), runtime, quiet=True)
    counts = {(True, True): 0, (True, False): 0, (False, True): 0, (False, False): 0}
    for one in range(15):
        for other in range(one + 1, 15):
            (score,) = runtime.score(embedded.embeddings[one], embedded.embeddings[[other]])
            same = embedded.identities[one] == embedded.identities[other]
            counts[bool(same), bool(score > 0.3)] += 1
    at = found["at"][0]
    assert at["threshold"] == 0.3
    assert (at["true_matches"], at["false_non_matches"]) == (
        counts[True, True],
        counts[True, False],
    )
    assert at["false_matches"] == counts[False, True]
    assert at["true_non_matches"] == counts[False, False]
    # The mislabelled pictures match barack's own.
    assert found["at"][1]["false_matches"] >= 6
    assert found["groups"][0]["identities"] == 3
    assert found["galleries"][0]["genuine_probes"] == 3 * 2 + 1
    assert found["galleries"][0]["impostor_probes"] == 15 * 4 - 15


def test_evaluate_a_list_of_pairs(pictures: Path, tmp_path: Path) -> None:
    table = pairs_of(tmp_path / "pairs.csv")
    done = training(
        "evaluate", "--pairs", table, "--images", pictures, "--out", tmp_path / "out", "--quiet"
    )
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "out" / "results.json").read_text())
    assert (found["facts"]["genuine_pairs"], found["facts"]["impostor_pairs"]) == (8, 12)
    assert found["facts"]["missed"] == ["wrong/3.png"]
    assert "Wilson" in found["facts"]["protocol"]
    # The pair whose picture shows no face counts as a failure, and as no probability.
    assert found["at"][0]["false_non_matches"] >= 1
    assert sum(one["pairs"] for one in found["reliability"]["bins"]) == 19
    assert [one["group"] for one in found["groups"]] == ["a", "b", "j"]
    assert found["galleries"] == []


def test_evaluate_like_lfw(pictures: Path, tmp_path: Path) -> None:
    folder = lfw_of(tmp_path / "lfw", pictures)
    done = training("evaluate", "--lfw", folder, "--quiet")
    assert done.returncode == 0, done.stderr
    assert "LFW 10-fold accuracy on the 8 pairs 100.00 %" in done.stdout


def test_a_report_of_prepared_chips_holds_all_that_it_shows(
    pictures: Path, artifact: Artifact, tmp_path: Path
) -> None:
    chips = prepared_of(tmp_path / "prepared", pictures, artifact)
    page = tmp_path / "page.html"
    done = training("report", "--prepared", chips, "--references", "2", "--out", page, "--quiet")
    assert done.returncode == 0, done.stderr
    text = page.read_text()
    assert text.count("<svg") == 4
    assert len(re.findall(r'src="data:image/jpeg;base64,[^"]{500,}"', text)) == 2 * 24
    for outside in re.findall(r'(?:src|href)="([^"]*)"', text):
        assert outside.startswith(("data:", "#"))
    assert "@import" not in text
    assert "<script" not in text
    # So few pictures say little, however well they are told apart.
    assert "Too few pictures to judge fused by." in text
    worst = text[text.index("Worst false matches") :].split("</figure>")[0]
    assert "wrong/" in worst
    assert "barack/" in worst
    for shown in (artifact.manifest.fingerprint, "Apache-2.0", "10,000,000 pairs are needed"):
        assert shown in text
    # Again over the old page, but not over something else.
    assert page.read_text() == text
    (tmp_path / "note.html").write_text("mine")
    line = refused(training("report", "--prepared", chips, "--out", tmp_path / "note.html"))
    assert "expected an earlier report or nothing at 'note.html'" in line
    assert (tmp_path / "note.html").read_text() == "mine"


def test_chips_are_taken_as_they_are(pictures: Path, artifact: Artifact, tmp_path: Path) -> None:
    """Chips that were cut before have the embeddings of the pictures that they were cut from."""
    runtime = OpenVinoRuntime(artifact)
    chips = prepared_of(tmp_path / "prepared", pictures, artifact)
    raw = open_corpus(Choice(data=pictures), artifact, runtime, quiet=True)
    cut = open_corpus(Choice(prepared=chips), artifact, runtime, quiet=True)
    assert raw.embedded.names == cut.embedded.names
    assert np.abs(raw.embedded.embeddings - cut.embedded.embeddings).max() < 1e-5
    name = raw.embedded.names[0]
    one, other = raw.chip_of(name), cut.chip_of(name)
    assert one is not None
    assert other is not None
    assert np.array_equal(one, other)
