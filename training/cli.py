"""The commands of `python -m training`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from model.artifact import Artifact, read_artifact
from model.contract import Calibration, OperatingPoint
from model.errors import SemblanceError
from model.runtimes.base import Runtime
from training.data.commands import register as register_data

app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, help=__doc__
)
register_data(app)
console = Console()

DEFAULT_ARTIFACT = Path("models/sface")
ArtifactOption = Annotated[Path, typer.Option("--artifact", help="Folder of the artifact.")]
RuntimeOption = Annotated[str, typer.Option("--runtime", help="openvino or tensorflow.")]
QuietOption = Annotated[bool, typer.Option("--quiet", help="No progress bar.")]


@app.command()
def build(
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")] = DEFAULT_ARTIFACT,
    given: Annotated[
        Path | None,
        typer.Option("--from", help="File or folder with the weights, instead of fetching."),
    ] = None,
    small: Annotated[
        bool, typer.Option("--small", help="The 8-bit files: less to download, less accurate.")
    ] = False,
) -> None:
    """Make the default artifact: SFace, the siamese head, YuNet."""
    from training.build import build as run

    artifact = run(out, given=given, small=small)
    manifest = artifact.manifest
    console.print(
        f"{manifest.name} {manifest.version} ({manifest.fingerprint}) written to {out}",
        soft_wrap=True,
    )


@app.command("fit-head")
def fit_head(
    data: Annotated[Path, typer.Option("--data", help="Folder of identities (celeba300).")],
    quiet: QuietOption = False,
) -> None:
    """Fit the head's weight and bias on pairs; keeps them in training/fitted."""
    from model.faces import Detector
    from model.runtimes.openvino_runtime import OpenVinoRuntime
    from training.build import HEAD_FILE
    from training.build import build as run
    from training.head import Head, write_head
    from training.head import fit_head as fit
    from training.pictures import embed_folder

    with tempfile.TemporaryDirectory() as folder:
        # The tower is what is needed; its head is what is about to be made.
        unfitted = Head(weight=1.0, bias=0.0, provenance={})
        artifact = run(Path(folder) / "unfitted", head=unfitted, calibration=_uncalibrated())
        runtime = OpenVinoRuntime(artifact)
        embedded = embed_folder(data, Detector(artifact.detector), runtime, quiet=quiet)
    head = fit(embedded, f"{data.name} (face crops of CelebA)")
    write_head(HEAD_FILE, head)
    console.print_json(data=head.provenance | {"weight": head.weight, "bias": head.bias})


@app.command()
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
        artifact = run(Path(folder) / "uncalibrated", calibration=_uncalibrated())
        result = measure_lfw(artifact, OpenVinoRuntime(artifact), lfw, quiet=quiet)
    calibration = calibration_of(result)
    CALIBRATION_FILE.write_text(calibration.model_dump_json(indent=2) + "\n", encoding="utf-8")
    console.print(f"LFW 10-fold accuracy {100 * calibration.accuracy:.2f} %")


@app.command()
def evaluate(
    lfw: Annotated[Path, typer.Option("--lfw", help="Folder with pairs.txt and the pictures.")],
    artifact: ArtifactOption = DEFAULT_ARTIFACT,
    runtime: RuntimeOption = "openvino",
    quiet: QuietOption = False,
) -> None:
    """Accuracy and error rates of an artifact on LFW."""
    from training.calibration import measure_lfw

    read = read_artifact(artifact)
    result = measure_lfw(read, _runtime(read, runtime), lfw, quiet=quiet)
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


@app.command()
def dnn(
    *,
    features: Annotated[
        Path | None,
        typer.Option("--features", help="A .npz file: X (input_size, m) and labels y (1, m)."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder of identities, to be embedded as features."),
    ] = None,
    target: Annotated[str, typer.Option("--target", help="The identity with label 1.")] = "",
    artifact: ArtifactOption = DEFAULT_ARTIFACT,
    hidden: Annotated[
        str | None, typer.Option("--hidden", help="Hidden sizes such as 64,32; else asked for.")
    ] = None,
    rate: Annotated[float, typer.Option("--rate", help="Learning rate.")] = 0.001,
    iterations: Annotated[int, typer.Option("--iterations", help="Steps of descent.")] = 1000,
    dropout: Annotated[float, typer.Option("--dropout", help="Share of neurons to drop.")] = 0.0,
    held_out: Annotated[
        float | None,
        typer.Option("--held-out", help="Share to measure on only; 0.2 with --data, else 0."),
    ] = None,
    plane: Annotated[
        str, typer.Option("--plane", help="Draw the boundary over pca or features I,J.")
    ] = "pca",
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")] = Path("runs/dnn"),
    quiet: QuietOption = False,
) -> None:
    """Train the NumPy network from scratch; loss, accuracy and boundary as PNG."""
    from training.dnn import Plan, file_examples, folder_examples, report, run
    from training.scratch.architecture import ask_hidden_sizes, read_hidden_sizes

    if (features is None) == (data is None) or (data is None) != (not target):
        raise ValueError("expected either --features FILE, or --data FOLDER with --target NAME")
    share = held_out if held_out is not None else 0.0 if data is None else 0.2
    examples = file_examples(features) if features else None
    sizes = ask_hidden_sizes() if hidden is None else read_hidden_sizes(hidden)
    plan = Plan(sizes, rate, iterations, dropout, share, plane)
    if examples is None:
        assert data is not None
        examples = folder_examples(data, target, artifact, quiet=quiet)
    result = run(examples, plan, out, quiet=quiet)
    console.print(report(examples, result, out), soft_wrap=True, highlight=False)


def main() -> None:
    """Runs a command; what was expected to go wrong is one line, not a traceback."""
    try:
        app()
    except (SemblanceError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


def _runtime(artifact: Artifact, name: str) -> Runtime:
    if name == "tensorflow":
        from model.runtimes.tensorflow_runtime import TensorFlowRuntime

        return TensorFlowRuntime(artifact)
    if name == "openvino":
        from model.runtimes.openvino_runtime import OpenVinoRuntime

        return OpenVinoRuntime(artifact)
    raise ValueError(f"expected the runtime openvino or tensorflow, found '{name}'")


def _row(point: OperatingPoint) -> list[str]:
    low, high = point.fmr_interval
    missed_low, missed_high = point.fnmr_interval
    return [
        f"{point.threshold:.6f}",
        f"{low:.2e} .. {high:.2e}",
        f"{100 * point.fnmr:.2f} %",
        f"{100 * missed_low:.2f} .. {100 * missed_high:.2f} %",
    ]


def _uncalibrated() -> Calibration:
    """Stands in the manifest of an artifact that is made only to be measured."""
    point = OperatingPoint(
        fmr=1e-4,
        threshold=0.5,
        fmr_measured=0,
        fmr_interval=(0, 1),
        fnmr=0,
        fnmr_interval=(0, 1),
    )
    return Calibration(
        dataset="none",
        protocol="none",
        measured_on="never",
        impostor_pairs=1,
        genuine_pairs=1,
        identities=2,
        accuracy=0,
        accuracy_standard_error=0,
        points=(point,),
    )
