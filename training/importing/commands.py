"""The command `import`: an artifact of a user's own network."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from model.contract import DEFAULT_FMR
from training.options import SFACE_ARTIFACT, QuietOption

console = Console()

_MANY = 0.5


def register(app: typer.Typer) -> None:
    app.command("import")(import_)


def import_(
    network: Annotated[
        Path, typer.Argument(help="An .onnx file, a .keras file or a SavedModel folder.")
    ],
    out: Annotated[Path, typer.Argument(help="Folder of the artifact to write.")],
    *,
    data: Annotated[
        Path,
        typer.Option("--data", help="Your pictures: a folder for each identity, many of them."),
    ],
    mean: Annotated[
        str, typer.Option(help="Preprocessing (value - mean) * scale: a number, or one a colour.")
    ],
    scale: Annotated[str, typer.Option(help="See --mean; 0.0078125 is 1/128.")],
    channels: Annotated[
        Literal["rgb", "bgr"], typer.Option(help="Order of the colours it was trained with.")
    ] = "rgb",
    size: Annotated[
        str | None, typer.Option(help="height,width of a picture, where the file leaves it open.")
    ] = None,
    template: Annotated[
        str,
        typer.Option(help="Where the landmarks go: scaled, arcface, or x1,y1,...,x5,y5 in pixels."),
    ] = "scaled",
    embedding_output: Annotated[
        str | None, typer.Option(help="Name of the output, where there are several.")
    ] = None,
    unit: Annotated[bool, typer.Option(help="Bring embeddings to unit length.")] = True,
    name: Annotated[
        str | None, typer.Option(help="Of the artifact; the file's name if not given.")
    ] = None,
    version: Annotated[str, typer.Option(help="Of the artifact.")] = "1.0.0",
    licence: Annotated[str, typer.Option(help="Of the network, for the manifest.")] = "not stated",
    detector_from: Annotated[
        Path, typer.Option(help="Artifact to take the face detector from.")
    ] = SFACE_ARTIFACT,
    fmr: Annotated[
        float, typer.Option(min=1e-6, max=1, help="False match rate of the default threshold.")
    ] = DEFAULT_FMR,
    quiet: QuietOption = False,
) -> None:
    """Make an artifact of your own face-embedding network, calibrated on your pictures."""
    from training.importing.assemble import Request
    from training.importing.make import import_network
    from training.importing.preprocessing import Preprocessing, per_colour
    from training.importing.template import size_of

    request = Request(
        network=network,
        data=data,
        preprocessing=Preprocessing(
            per_colour(mean, "--mean"), per_colour(scale, "--scale"), channels
        ),
        size=None if size is None else size_of(size),
        template=template,
        output=embedding_output,
        detector_from=detector_from,
        name=name or network.resolve().stem,
        version=version,
        licence=licence,
        unit=unit,
        fmr=fmr,
    )
    made = import_network(
        request, out, say=lambda text: console.print(text, soft_wrap=True), quiet=quiet
    )
    manifest = made.artifact.manifest
    if made.faceless:
        console.print(f"pictures without a face: {made.faceless}")
    row, calibration = made.default, manifest.calibration
    low, high = (100 * end for end in row.fnmr_interval)
    console.print(
        f"default threshold {row.threshold:.4f} for an FMR of {row.fmr:g}: FNMR "
        f"{100 * row.fnmr:.2f} % (95 %: {low:.2f} .. {high:.2f}) on {calibration.identities} "
        f"identities; measured down to an FMR of {calibration.points[-1].fmr:g}",
        soft_wrap=True,
    )
    if row.fnmr > _MANY:
        console.print(
            "note: more than half of the genuine pairs would be refused. Is somebody in --data "
            "under two names? Is the preprocessing the network's own? --fmr chooses another rate.",
            soft_wrap=True,
        )
    console.print(
        f"{manifest.name} {manifest.version} ({manifest.fingerprint}) written to {out}",
        soft_wrap=True,
    )
