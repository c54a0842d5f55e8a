"""`results.json` and the plots of an evaluation, in one folder."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from training.data.errors import DataError, saying_disk_full
from training.evaluation.measure import Evaluation
from training.evaluation.rates import Rates
from training.evaluation.verdict_tables import at_rate, common_rate

RESULTS = "results.json"
PLOTS = ("roc.png", "det.png", "scores.png", "reliability.png")
FUSION_PLOT = "fusion.png"


def results_of(evaluation: Evaluation) -> dict[str, Any]:
    """Every figure, ready for JSON."""
    manifest = evaluation.manifest
    return {
        "model": {
            "name": manifest.name,
            "version": manifest.version,
            "fingerprint": manifest.fingerprint,
            "input_size": manifest.input_size,
            "embedding_size": manifest.embedding_size,
            "detection_threshold": manifest.detection_threshold,
            "verification_threshold": manifest.verification_threshold,
        },
        "facts": asdict(evaluation.facts),
        "settings": asdict(evaluation.settings),
        "at": [_rates(one) for one in evaluation.at],
        "points": [{**one.model_dump(), "tar": 1 - one.fnmr} for one in evaluation.points],
        "equal_error": asdict(evaluation.equal_error),
        "accuracy": asdict(evaluation.accuracy),
        "listed": None if evaluation.listed is None else asdict(evaluation.listed),
        "reliability": asdict(evaluation.reliability),
        "galleries": [
            {**asdict(one), "true_rate": one.true_rate, "false_rate": one.false_rate}
            for one in evaluation.galleries
        ],
        "verdicts": {
            "protocol": evaluation.verdicts.protocol,
            "points": [one.model_dump() for one in evaluation.verdicts.points],
        },
        "groups": [
            {
                "attribute": one.attribute,
                "group": one.group,
                "identities": one.identities,
                **_rates(one.rates),
                "at_fmr_1e3_overall": None if one.at_overall is None else _rates(one.at_overall),
                "at_fmr_1e3_own": None if one.at_own is None else _rates(one.at_own),
            }
            for one in evaluation.groups
        ],
        "cautions": evaluation.cautions,
        "curve": asdict(evaluation.curve),
        "histogram": asdict(evaluation.histogram),
    }


def check_results_place(out: Path) -> None:
    """Raises DataError if something else than earlier results is there."""
    if not out.exists():
        return
    known = {RESULTS, *PLOTS, FUSION_PLOT}
    if not out.is_dir() or not {path.name for path in out.iterdir()} <= known:
        raise DataError(
            f"expected an earlier evaluation or nothing at '{out.name}', found something else"
        )


def write_results(evaluation: Evaluation, out: Path) -> None:
    """Writes results.json and the plots; each file appears whole.

    Raises:
        DataError: If something else is there, or the disk is full.
    """
    from training.evaluation.plots import save_png

    check_results_place(out)
    with saying_disk_full("free some and run it again"):
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as name:
            staging = Path(name)
            text = json.dumps(results_of(evaluation), indent=1) + "\n"
            (staging / RESULTS).write_text(text, encoding="utf-8")
            for file, figure in figures(evaluation).items():
                save_png(figure, staging / file)
            out.mkdir(exist_ok=True)
            if not (staging / FUSION_PLOT).exists():
                (out / FUSION_PLOT).unlink(missing_ok=True)
            for path in sorted(staging.iterdir()):
                os.replace(path, out / path.name)


def figures(evaluation: Evaluation) -> dict[str, Any]:
    """A matplotlib figure for each name in PLOTS, and FUSION_PLOT where verdicts were measured."""
    from training.evaluation.plots import (
        plot_det,
        plot_fusion,
        plot_histogram,
        plot_reliability,
        plot_roc,
    )

    facts = evaluation.facts
    drawn = (
        plot_roc(evaluation.curve, evaluation.at, facts.impostor_pairs),
        plot_det(
            evaluation.curve,
            evaluation.at,
            evaluation.equal_error,
            (facts.genuine_pairs, facts.impostor_pairs),
        ),
        plot_histogram(evaluation.histogram, [one.threshold for one in evaluation.at]),
        plot_reliability({evaluation.manifest.name: evaluation.reliability}),
    )
    named = dict(zip(PLOTS, drawn, strict=True))
    verdicts = evaluation.verdicts.points
    rate = common_rate(verdicts)
    return (
        named if rate is None else named | {FUSION_PLOT: plot_fusion(at_rate(verdicts, rate), rate)}
    )


def _rates(rates: Rates) -> dict[str, Any]:
    return {
        **asdict(rates),
        "fmr": rates.fmr,
        "fnmr": rates.fnmr,
        "precision": rates.precision,
        "precision_even": rates.precision_even,
        "recall": rates.recall,
    }
