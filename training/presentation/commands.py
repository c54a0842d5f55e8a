"""The commands `presentation` and `simulate-attacks` of `python -m training`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from training.options import DATA_HELP, DEFAULT_ARTIFACT, ArtifactOption, QuietOption

console = Console()


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(presentation)
    app.command("simulate-attacks")(simulate_attacks)


def presentation(
    *,
    folder: Annotated[Path, typer.Argument(help="Holds live/PERSON/... and attack/PERSON/...")],
    out: Annotated[Path, typer.Option("--out", help="Folder of what is made.")],
    about: Annotated[
        str, typer.Option(help="What the frames are, in words; said beside every flag.")
    ] = "",
    artifact: ArtifactOption = DEFAULT_ARTIFACT,
    ridge: Annotated[float, typer.Option(min=0, help="Holds the weights small.")] = 0.003,
    bpcer: Annotated[
        float, typer.Option(min=0, max=0.5, help="Share of live frames that may be flagged.")
    ] = 0.05,
    quiet: QuietOption = False,
) -> None:
    """Train passive liveness (print and replay attacks), and measure it on other people."""
    from model.artifact import read_artifact
    from model.faces import Detector
    from training.presentation.fit import fit_presentation
    from training.presentation.simulate import NOTE

    simulated = (folder / NOTE).is_file()
    said = about or f"{'simulated attacks' if simulated else 'frames'} of {folder.name}"
    fitted = fit_presentation(
        folder,
        out,
        Detector(read_artifact(artifact).detector),
        about=said,
        simulated=simulated,
        ridge=ridge,
        bpcer=bpcer,
        quiet=quiet,
    )
    manifest = fitted.artifact.manifest
    lines = [f"measured on {manifest.measured_on}; {fitted.missed} frames without a face left out"]
    for name, rate in (
        *((f"APCER {kind}", measured) for kind, measured in manifest.apcer.items()),
        ("BPCER", manifest.bpcer),
    ):
        low, high = rate.interval
        lines.append(
            f"{name:<16}{rate.rate:7.2%}   95 % {low:.2%} to {high:.2%}, {rate.frames} frames"
        )
    lines.append(f"{'EER':<16}{manifest.eer:7.2%}   threshold {manifest.threshold:.4f}")
    if simulated:
        lines.append("The attacks were rendered: of real ones this says little.")
    lines.append(f"written to {out}")
    console.print("\n".join(lines), soft_wrap=True, highlight=False)


def simulate_attacks(
    *,
    source: Annotated[Path, typer.Argument(help=DATA_HELP)],
    out: Annotated[Path, typer.Argument(help="Folder to make.")],
    people: Annotated[int, typer.Option(min=1, help="At most so many.")] = 200,
    pictures: Annotated[int, typer.Option(min=1, help="Of each, at most.")] = 4,
    seed: int = 20,
    quiet: QuietOption = False,
) -> None:
    """Render live frames, prints and screens from real pictures, to try things out."""
    from training.presentation.simulate import simulate

    counts = simulate(source, out, people=people, pictures=pictures, seed=seed, quiet=quiet)
    said = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    console.print(f"{said}; written to {out}", soft_wrap=True, highlight=False)
