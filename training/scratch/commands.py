"""The commands of the networks from scratch: `dnn`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from training.options import DEFAULT_ARTIFACT, ArtifactOption, QuietOption

console = Console()


def register(app: typer.Typer) -> None:
    app.command()(dnn)


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
