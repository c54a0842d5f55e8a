"""The command `attributes` of `python -m training`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from training.options import DEFAULT_ARTIFACT, ArtifactOption, QuietOption

console = Console()


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command()(attributes)


def attributes(
    *,
    source: Annotated[
        Path, typer.Argument(help="Folder of identities with pictures, or one that prepare made.")
    ],
    artifact: ArtifactOption = DEFAULT_ARTIFACT,
    out: Annotated[Path, typer.Option("--out", help="CSV file to write.")] = Path("attributes.csv"),
    quiet: QuietOption = False,
) -> None:
    """Measure pose, size, sharpness and light of every face, for report --groups."""
    from model.artifact import read_artifact
    from model.faces import Detector
    from training.attributes.measure import check_table_place, measure_folder, write_table

    check_table_place(out)
    detector = Detector(read_artifact(artifact).detector)
    measured = measure_folder(source, detector, quiet=quiet)
    write_table(out, measured)
    without = sum(one.values is None for one in measured)
    console.print(
        f"{len(measured)} pictures, {without} of them without a face; written to {out}",
        soft_wrap=True,
        highlight=False,
    )
