"""Fit an artifact's head to a calibrated probability, and measure its FMR table anew."""

from __future__ import annotations

import json
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from model.artifact import Artifact, write_artifact
from model.contract import Calibration
from model.runtimes.base import Runtime
from model.types import AnyArray
from training.artifact_files import check_place, copying
from training.data.errors import DataError, saying_disk_full
from training.evaluation.calibrating import (
    calibration_of_pairs,
    check_enough,
    default_threshold,
    with_verdicts,
)
from training.evaluation.comparisons import Comparisons, sampled
from training.evaluation.corpus import Corpus, listed_comparisons, pair_scores
from training.evaluation.folds import fold_homes
from training.evaluation.platt import HeldOut, Scaling, cross_fitted, fit_platt
from training.pairs import all_pairs, unscored_pairs
from training.runtimes import load_runtime
from training.uncalibrated import uncalibrated

FOLDS = 5
_FEWEST_IDENTITIES = 4
_MOST_PAIRS = 200_000
EVIDENCE = "calibration"
"""Folder of the artifact with the held-out figures and the reliability plot."""


@dataclass(frozen=True)
class Recalibrated:
    """The artifact that was written, and what is known of its scores."""

    artifact: Artifact
    scaling: Scaling
    held_out: HeldOut


def calibrate(
    artifact: Artifact,
    corpus: Corpus,
    runtime: Runtime,
    out: Path,
    *,
    prior: float = 0.5,
    quiet: bool = True,
) -> Recalibrated:
    """Writes the artifact with scores that are probabilities on this corpus.

    Embeddings and fingerprint stay as they are: identities need not enrol again.
    The reliability is measured by cross-fitting over identities; the scaling that
    is written is fitted on all of them.

    Args:
        runtime: Of `artifact`; it embedded the corpus.
        out: Replaced if it is an artifact.
        prior: Share of genuine pairs among those to be judged, in (0, 1).

    Raises:
        DataError: If there are too few pairs or identities, the model's scores are
            no sigmoid, or something else is at `out`.
    """
    check_place(out)
    if not 0 < prior < 1:
        raise DataError(f"expected --prior between 0 and 1, found {prior:g}")
    # TensorFlow takes seconds to import; what is wrong above is said before.
    from training.evaluation.head_graph import HeadGraph

    head = HeadGraph(artifact)
    comparisons = (
        unscored_pairs(corpus.embedded) if corpus.named else listed_comparisons(corpus, runtime)
    )
    check_enough(comparisons)
    if comparisons.identities < _FEWEST_IDENTITIES:
        raise DataError(
            f"expected at least {_FEWEST_IDENTITIES} identities, to fit on some and measure on "
            f"others, found {comparisons.identities}"
        )
    sample = sampled(comparisons, _MOST_PAIRS)
    logits = pair_scores(sample.rows, corpus.embedded, head.logits)
    held_out = cross_fitted(logits, sample.same, _homes(sample), prior)
    scaling = fit_platt(logits, sample.same, prior)
    with tempfile.TemporaryDirectory() as name, saying_disk_full("free some and run it again"):
        staging = Path(name)
        saved, evidence = staging / "saved_model", staging / EVIDENCE
        head.save(saved, scaling)
        _write_evidence(evidence, scaling, held_out)
        raw = _written(artifact, staging / "uncalibrated", saved, evidence, uncalibrated())
        new = load_runtime(raw, runtime.name)
        scaled = (
            all_pairs(corpus.embedded, new, quiet=quiet)
            if corpus.named
            else listed_comparisons(corpus, new)
        )
        calibration = calibration_of_pairs(scaled, corpus.dataset, len(corpus.embedded.missed))
        if corpus.named:
            calibration = with_verdicts(calibration, corpus.embedded, scaled, new, quiet=quiet)
        protocol = (
            f"{calibration.protocol} Scores scaled to probabilities at a prior of {prior:g} by "
            "Platt's method on these pairs, which changes no error rate."
        )
        calibration = calibration.model_copy(update={"protocol": protocol})
        written = _written(artifact, out, saved, evidence, calibration)
    return Recalibrated(written, scaling, held_out)


def _homes(comparisons: Comparisons) -> AnyArray:
    if comparisons.folds is not None and len(np.unique(comparisons.folds)) > 1:
        return np.stack([comparisons.folds] * 2, axis=1)
    return fold_homes(comparisons, min(FOLDS, comparisons.identities // 2))


def _written(
    artifact: Artifact, out: Path, saved: Path, evidence: Path, calibration: Calibration
) -> Artifact:
    """The artifact with another SavedModel and calibration; its other files as they are."""
    manifest = artifact.manifest

    unchanged = copying(artifact, (f"{manifest.saved_model}/", f"{EVIDENCE}/"))

    def fill(staging: Path) -> None:
        unchanged(staging)
        shutil.copytree(saved, staging / manifest.saved_model)
        shutil.copytree(evidence, staging / EVIDENCE)

    promise = manifest.model_dump(exclude={"manifest_version", "files"}, mode="json")
    promise |= {
        "calibration": calibration.model_dump(mode="json"),
        "detection_threshold": default_threshold(calibration),
    }
    return write_artifact(out, fill, promise)


def _write_evidence(folder: Path, scaling: Scaling, held_out: HeldOut) -> None:
    from training.evaluation.plots import plot_reliability, save_png

    folder.mkdir()
    content = {"scaling": asdict(scaling), "held_out": asdict(held_out)}
    (folder / "held_out.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    figure = plot_reliability({"before": held_out.before, "after": held_out.after})
    save_png(figure, folder / "reliability.png")
