"""The commands that make the default artifacts and their fitted numbers."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from training.options import DATA_HELP, MODELS, ProfileOption, QuietOption
from training.uncalibrated import uncalibrated

if TYPE_CHECKING:
    from training.pictures import Embedded
    from training.profiles import Profile

console = Console()
_DataOption = Annotated[Path, typer.Option("--data", help=DATA_HELP)]


def register(app: typer.Typer) -> None:
    app.command()(build)
    app.command("fit-bounds")(fit_bounds)
    app.command("fit-projection")(fit_projection)
    app.command("fit-head")(fit_head)


def build(
    profile: ProfileOption = "accurate",
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write; models/NAME if unset.")
    ] = None,
    given: Annotated[
        Path | None,
        typer.Option("--from", help="File or folder with the weights, instead of fetching."),
    ] = None,
    small: Annotated[
        bool,
        typer.Option("--small", help="SFace's 8-bit file: less to download, less accurate."),
    ] = False,
) -> None:
    """Make a default artifact: `accurate` (SFace and dlib's network) or `fast` (SFace)."""
    from training.build import build as run
    from training.profiles import profile as profile_of

    chosen = profile_of(profile, small=small)
    target = out or MODELS / chosen.artifact
    manifest = run(target, chosen, given=given).manifest
    console.print(
        f"{manifest.name} {manifest.version} ({manifest.fingerprint}) written to {target}",
        soft_wrap=True,
    )


def fit_bounds(data: _DataOption, quiet: QuietOption = False) -> None:
    """Measure what the 8-bit networks round by; keeps it in training/fitted."""
    from training.bounds import write_bounds
    from training.bounds_of_profiles import measure_dlib, measure_sface, measure_yunet
    from training.profiles import DLIB_BOUNDS_FILE, SFACE_BOUNDS_FILE, YUNET_BOUNDS_FILE

    for path, measure in (
        (YUNET_BOUNDS_FILE, measure_yunet),
        (SFACE_BOUNDS_FILE, measure_sface),
        (DLIB_BOUNDS_FILE, measure_dlib),
    ):
        measured = measure(data, _named(data), quiet=quiet)
        write_bounds(path, measured)
        console.print_json(data=measured.provenance)


def fit_projection(data: _DataOption, quiet: QuietOption = False) -> None:
    """Learn the projection of the accurate tower; keeps it in training/fitted."""
    from training.profiles import PROJECTION_FILE, unprojected
    from training.profiles import profile as profile_of
    from training.projection import fitted_on, write_projection

    embedded = _embedded(unprojected(profile_of("accurate")), data, quiet=quiet)
    fitted = fitted_on(embedded, _named(data))
    write_projection(PROJECTION_FILE, fitted)
    console.print_json(data=fitted.provenance)


def fit_head(
    data: _DataOption, profile: ProfileOption = "accurate", quiet: QuietOption = False
) -> None:
    """Fit the head's weight and bias on pairs; keeps them in training/fitted."""
    from training.head import fit_head as fit
    from training.head import write_head
    from training.profiles import profile as profile_of

    chosen = profile_of(profile)
    head = fit(_embedded(chosen, data, quiet=quiet), _named(data), profile)
    write_head(chosen.head_file, head)
    console.print_json(data=head.provenance | {"weight": head.weight, "bias": head.bias})


def _embedded(chosen: Profile, data: Path, *, quiet: bool) -> Embedded:
    """The pictures by the tower alone; its head is what is about to be made."""
    from model.faces import Detector
    from model.runtimes.openvino_runtime import OpenVinoRuntime
    from training.build import build as run
    from training.head import Head
    from training.pictures import embed_folder

    with tempfile.TemporaryDirectory() as folder:
        unfitted = Head(weight=1.0, bias=0.0, provenance={})
        artifact = run(Path(folder) / "unfitted", chosen, head=unfitted, calibration=uncalibrated())
        return embed_folder(
            data, Detector(artifact.detector), OpenVinoRuntime(artifact), quiet=quiet
        )


def _named(data: Path) -> str:
    return f"{data.name} (face crops of CelebA)"
