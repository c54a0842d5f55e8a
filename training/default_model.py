"""The commands that make the default artifact and its fitted numbers: `build`, `fit-head`."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from training.options import DEFAULT_ARTIFACT, QuietOption
from training.uncalibrated import uncalibrated

console = Console()


def register(app: typer.Typer) -> None:
    app.command()(build)
    app.command("fit-head")(fit_head)


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
        artifact = run(Path(folder) / "unfitted", head=unfitted, calibration=uncalibrated())
        runtime = OpenVinoRuntime(artifact)
        embedded = embed_folder(data, Detector(artifact.detector), runtime, quiet=quiet)
    head = fit(embedded, f"{data.name} (face crops of CelebA)")
    write_head(HEAD_FILE, head)
    console.print_json(data=head.provenance | {"weight": head.weight, "bias": head.bias})
