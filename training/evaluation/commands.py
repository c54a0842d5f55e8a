"""The commands that measure an artifact: `evaluate`, `calibrate`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from model.artifact import read_artifact
from model.contract import OperatingPoint
from training.options import DEFAULT_ARTIFACT, ArtifactOption, QuietOption, RuntimeOption
from training.runtimes import load_runtime
from training.uncalibrated import uncalibrated

console = Console()


def register(app: typer.Typer) -> None:
    app.command()(calibrate)
    app.command()(evaluate)


def calibrate(
    lfw: Annotated[Path, typer.Option("--lfw", help="Folder with pairs.txt and the pictures.")],
    quiet: QuietOption = False,
) -> None:
    """Measure the default model on LFW; keeps the table in training/fitted."""
    from model.runtimes.openvino_runtime import OpenVinoRuntime
    from training.build import CALIBRATION_FILE
    from training.build import build as run
    from training.calibration import calibration_of, measure_lfw

    with tempfile.TemporaryDirectory() as folder:
        artifact = run(Path(folder) / "uncalibrated", calibration=uncalibrated())
        result = measure_lfw(artifact, OpenVinoRuntime(artifact), lfw, quiet=quiet)
    calibration = calibration_of(result)
    CALIBRATION_FILE.write_text(calibration.model_dump_json(indent=2) + "\n", encoding="utf-8")
    console.print(f"LFW 10-fold accuracy {100 * calibration.accuracy:.2f} %")


def evaluate(
    lfw: Annotated[Path, typer.Option("--lfw", help="Folder with pairs.txt and the pictures.")],
    artifact: ArtifactOption = DEFAULT_ARTIFACT,
    runtime: RuntimeOption = "openvino",
    quiet: QuietOption = False,
) -> None:
    """Accuracy and error rates of an artifact on LFW."""
    from training.calibration import measure_lfw

    read = read_artifact(artifact)
    result = measure_lfw(read, load_runtime(read, runtime), lfw, quiet=quiet)
    table = Table("FMR", "threshold", "FMR interval", "FNMR", "FNMR interval")
    for point in result.points:
        table.add_row(f"{point.fmr:.0e}", *_row(point))
    console.print(table)
    console.print(
        f"pictures without a face: {len(result.missed)}; "
        f"{result.impostor_pairs:,} impostor and {result.genuine_pairs:,} genuine pairs "
        f"of {result.identities:,} identities"
    )
    console.print(
        f"LFW 10-fold accuracy {100 * result.accuracy.mean:.2f} % "
        f"± {100 * result.accuracy.standard_error:.2f}; "
        f"TAR at FMR 1e-3 on the 6,000 pairs {100 * result.tar_at_1e3:.2f} %"
    )


def _row(point: OperatingPoint) -> list[str]:
    low, high = point.fmr_interval
    missed_low, missed_high = point.fnmr_interval
    return [
        f"{point.threshold:.6f}",
        f"{low:.2e} .. {high:.2e}",
        f"{100 * point.fnmr:.2f} %",
        f"{100 * missed_low:.2f} .. {100 * missed_high:.2f} %",
    ]
