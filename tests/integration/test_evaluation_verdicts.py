"""The verdict table in everything that shows or keeps figures."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from model.artifact import Artifact
from model.contract import Calibration
from model.types import Image
from tests.integration.prepare_samples import refused, training
from tests.unit.verdict_samples import CosineRuntime, people
from training.data.errors import DataError
from training.evaluation.calibrating import calibration_from
from training.evaluation.corpus import Corpus
from training.evaluation.left_out import without
from training.evaluation.measure import Evaluation, Settings, evaluate
from training.evaluation.output import write_results
from training.evaluation.page import page_of


def chip_of(name: str) -> Image:
    return np.full((112, 112, 3), len(name), dtype=np.uint8)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """Made-up people: 44 of six pictures make about 11,000 verdicts."""
    return Corpus("made up", "drawn", people([6] * 44, 4), chip_of)


@pytest.fixture(scope="module")
def found(corpus: Corpus, artifact: Artifact) -> Evaluation:
    return evaluate(corpus, CosineRuntime(artifact.manifest), Settings())


def test_results_and_plots(found: Evaluation, tmp_path: Path) -> None:
    write_results(found, tmp_path / "out")
    results = json.loads((tmp_path / "out" / "results.json").read_text())["verdicts"]
    assert "44 identities enrolled, 11,352 impostor" in results["protocol"]
    assert len(results["points"]) == 4 * 3 * 2
    assert {row["fusion"] for row in results["points"]} == {"share", "max", "mean", "centroid"}
    assert (tmp_path / "out" / "fusion.png").read_bytes().startswith(b"\x89PNG")


def test_the_page_compares_the_rules(found: Evaluation, corpus: Corpus) -> None:
    page = page_of(found, corpus)
    assert "Whole verdicts: FNMR at FMR 1e-03" in page
    assert "Whole verdicts: thresholds for FMR 1e-03" in page
    assert 'aria-label="Whole verdicts"' in page


def test_without_verdicts_nothing_of_them_is_left(
    corpus: Corpus, found: Evaluation, artifact: Artifact, tmp_path: Path
) -> None:
    none = evaluate(corpus, CosineRuntime(artifact.manifest), Settings(verdicts=False))
    assert none.verdicts.points == ()
    assert "Whole verdicts: " not in page_of(none, corpus)
    write_results(found, tmp_path / "out")
    write_results(none, tmp_path / "out")
    assert not (tmp_path / "out" / "fusion.png").exists()


def test_a_calibration_keeps_both_tables(corpus: Corpus, artifact: Artifact) -> None:
    kept = calibration_from(corpus.embedded, CosineRuntime(artifact.manifest), "made up")
    assert {(row.fusion, row.references) for row in kept.verdicts} >= {("share", 5), ("max", 1)}
    # One reference is a pair, but that here each picture is a probe in turn.
    pair = kept.at_fmr(1e-2)
    (one,) = (
        row for row in kept.verdicts if (row.fusion, row.references, row.fmr) == ("mean", 1, 1e-2)
    )
    assert one.threshold == pytest.approx(pair.threshold, abs=0.05)
    assert Calibration.model_validate_json(kept.model_dump_json()) == kept


def test_wrongly_named_people_are_left_out() -> None:
    made = people([2, 3, 4], 0)
    fewer = without(made, "0001, 0000")
    assert set(fewer.identities) == {"0002"}
    assert np.array_equal(fewer.embeddings, made.embeddings[5:])
    assert without(made, "").names == made.names
    with pytest.raises(DataError, match="found none named '7'"):
        without(made, "0001,7")


def test_the_figures_of_a_named_artifact_need_a_place(artifact: Artifact, tmp_path: Path) -> None:
    line = refused(training("calibrate-default", artifact.folder, "--lfw", tmp_path))
    assert "expected --out for the figures of a named artifact, found none" in line
