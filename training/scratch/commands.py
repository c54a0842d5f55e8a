"""The commands of the networks from scratch: `dnn`, `scratch-siamese`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from training.options import SFACE_ARTIFACT, ArtifactOption, QuietOption

console = Console()


def register(app: typer.Typer) -> None:
    app.command()(dnn)
    app.command()(scratch_siamese)


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
    embeddings: Annotated[
        Path | None, typer.Option("--embeddings", help="What embed wrote, in place of --data.")
    ] = None,
    target: Annotated[str, typer.Option("--target", help="The identity with label 1.")] = "",
    artifact: ArtifactOption = SFACE_ARTIFACT,
    hidden: Annotated[
        str | None, typer.Option("--hidden", help="Hidden sizes such as 64,32; else asked for.")
    ] = None,
    rate: Annotated[float, typer.Option("--rate", help="Learning rate.")] = 0.001,
    iterations: Annotated[int, typer.Option("--iterations", help="Steps of descent.")] = 1000,
    dropout: Annotated[float, typer.Option("--dropout", help="Share of neurons to drop.")] = 0.0,
    held_out: Annotated[
        float | None,
        typer.Option("--held-out", help="Share to measure on only; 0 with --features, else 0.2."),
    ] = None,
    plane: Annotated[
        str, typer.Option("--plane", help="Draw the boundary over pca or features I,J.")
    ] = "pca",
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")] = Path("runs/dnn"),
    quiet: QuietOption = False,
) -> None:
    """Train the NumPy network from scratch; loss, accuracy and boundary as PNG."""
    from training.dnn import Plan, embedded_examples, file_examples, folder_examples, report, run
    from training.scratch.architecture import ask_hidden_sizes, read_hidden_sizes

    sources = [source for source in (features, data, embeddings) if source is not None]
    if len(sources) != 1 or (features is None) != bool(target):
        raise ValueError(
            "expected either --features FILE, or --data FOLDER or --embeddings FILE "
            "with --target NAME"
        )
    share = held_out if held_out is not None else 0.2 if features is None else 0.0
    examples = None
    if features is not None:
        examples = file_examples(features)
    elif embeddings is not None:
        examples = embedded_examples(embeddings, target)
    sizes = ask_hidden_sizes() if hidden is None else read_hidden_sizes(hidden)
    plan = Plan(sizes, rate, iterations, dropout, share, plane)
    if examples is None:
        assert data is not None
        # After all that can be refused at once: this takes long.
        examples = folder_examples(data, target, artifact, quiet=quiet)
    result = run(examples, plan, out, quiet=quiet)
    console.print(report(examples, result, out), soft_wrap=True, highlight=False)


def scratch_siamese(
    *,
    chips: Annotated[
        Path, typer.Argument(help="Folder that prepare made, or of identities with cut faces.")
    ],
    loss: Annotated[
        str, typer.Option("--loss", help="batch (all pairs of a batch, Adam) or pairs.")
    ] = "batch",
    rate: Annotated[
        float | None, typer.Option("--rate", help="Learning rate (0.002; pairs: 0.02).")
    ] = None,
    iterations: Annotated[int, typer.Option("--iterations", help="Steps.")] = 1000,
    batch: Annotated[int, typer.Option("--batch", help="Chips (or pairs) a step.")] = 64,
    filters: Annotated[str, typer.Option("--filters", help="Of the two convolutions.")] = "16,32",
    size: Annotated[int, typer.Option("--size", help="Of an embedding.", min=1, max=4096)] = 64,
    held_out: Annotated[
        float, typer.Option("--held-out", help="Share to measure on, if prepare did not split.")
    ] = 0.2,
    seed: Annotated[int, typer.Option("--seed", help="Of weights, batches and split.", min=0)] = 1,
    out: Annotated[Path, typer.Option("--out", help="Folder to write.")] = Path(
        "runs/scratch-siamese"
    ),
    quiet: QuietOption = False,
) -> None:
    """Train the NumPy siamese network from scratch on chips of 32 x 32."""
    from training.scratch.held_out import read_divided
    from training.scratch.siamese_run import Loss, Plan, read_filters, report, run

    if loss not in set(Loss):
        raise ValueError(f"expected the loss batch or pairs, found '{loss[:40]}'")
    plan = Plan(Loss(loss), rate, iterations, batch, read_filters(filters), size, held_out, seed)
    result = run(read_divided(chips, held_out, seed), plan, out, quiet=quiet)
    console.print(report(result, out), soft_wrap=True, highlight=False)
