"""The commands `fit` and `export`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from training.data.chips import Tower
from training.fitting.settings import Augment, FitSettings, Loss, StrategyName
from training.options import SFACE_ARTIFACT, QuietOption

if TYPE_CHECKING:
    from training.fitting.fit import FitResult

console = Console()
_EVERYTHING = "all"


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(fit)
    app.command()(export)


def fit(
    *,
    prepared: Annotated[Path, typer.Argument(help="Folder that prepare made.")],
    out: Annotated[Path, typer.Option("--out", help="Folder of the run; goes on if begun.")],
    tower: Annotated[Tower, typer.Option(help="The paper's, or the pretrained one.")] = Tower.KOCH,
    loss: Annotated[Loss, typer.Option(help="What the tower is taught with.")] = Loss.BCE,
    epochs: Annotated[int | None, typer.Option(help="Default 30; sface 10.")] = None,
    batch: Annotated[int, typer.Option(help="Pairs (or chips) in a step on a device.")] = 16,
    rate: Annotated[float | None, typer.Option(help="Default 1e-4; sface 1e-5.")] = None,
    pairs: Annotated[
        int | None,
        typer.Option(help="Drawn each epoch; default the paper's, or one for each chip."),
    ] = None,
    augment: Annotated[
        str, typer.Option(help="Of flip, brightness, crop, jpeg, with commas; or all.")
    ] = "",
    early_stop: Annotated[
        int, typer.Option(help="Epochs without a better loss on dev; 0: never.", min=0)
    ] = 0,
    keep: Annotated[str | None, typer.Option(help="last or best (on dev); sface best.")] = None,
    checkpoint_every: Annotated[int, typer.Option(help="Epochs.")] = 10,
    unfreeze: Annotated[
        int, typer.Option(help="sface: layers from the top to train after the head.", min=0)
    ] = 2,
    head_epochs: Annotated[
        int, typer.Option(help="sface: first epochs, for the head alone.", min=0)
    ] = 3,
    head_rate: Annotated[float, typer.Option(help="sface: learning rate of the head.")] = 1e-3,
    margin: Annotated[float | None, typer.Option(help="Of the loss, if it has one.")] = None,
    mixed: Annotated[
        bool, typer.Option("--mixed", help="Half precision (bfloat16): for GPUs.")
    ] = False,
    xla: Annotated[bool, typer.Option("--xla", help="Compile steps by XLA: for GPUs.")] = False,
    strategy: Annotated[
        StrategyName, typer.Option(help="multi-worker: the cluster is told by TF_CONFIG.")
    ] = StrategyName.NONE,
    seed: Annotated[int, typer.Option(help="Of weights, pairs and changes.", min=0)] = 1,
    quiet: QuietOption = False,
) -> None:
    """Train a siamese network on prepared chips."""
    pretrained = tower is Tower.SFACE
    if keep not in (None, "last", "best"):
        raise ValueError(f"expected --keep last or best, found '{keep}'")
    total = epochs if epochs is not None else 10 if pretrained else 30
    settings = FitSettings(
        tower=tower,
        loss=loss,
        epochs=total,
        batch=batch,
        rate=rate if rate is not None else 1e-5 if pretrained else 1e-4,
        pairs_per_epoch=pairs,
        augment=_augment(augment),
        early_stop=early_stop,
        keep_best=keep == "best" or (keep is None and (pretrained or early_stop > 0)),
        checkpoint_every=checkpoint_every,
        seed=seed,
        unfreeze=unfreeze if pretrained else 0,
        head_epochs=min(head_epochs, total) if pretrained and loss is Loss.BCE else 0,
        head_rate=head_rate,
        margin=margin,
        mixed=mixed,
        xla=xla,
        strategy=strategy,
    )
    # Training is twice as fast with oneDNN, and compared with no other run bit by bit.
    os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
    from training.fitting.fit import fit as run

    _say(run(prepared, out, settings, quiet=quiet), out)


def export(
    *,
    run: Annotated[Path, typer.Argument(help="Folder that fit made.")],
    artifact: Annotated[Path, typer.Argument(help="Folder to write; an artifact is replaced.")],
    prepared: Annotated[
        Path | None, typer.Option(help="The run's chips, if they lie elsewhere now.")
    ] = None,
    split: Annotated[str, typer.Option(help="Whose chips the rates are measured on.")] = "test",
    detector_from: Annotated[
        Path, typer.Option(help="The artifact whose detector found the faces.")
    ] = SFACE_ARTIFACT,
    threshold: Annotated[
        float | None,
        typer.Option(help="Detection threshold; default at FMR 1e-4 where so much is known."),
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Write the artifact of a run, and compare it on both runtimes."""
    from training.fitting.export import export as write

    if threshold is not None and not 0 <= threshold <= 1:
        raise ValueError(f"expected a threshold from 0 to 1, found {threshold:g}")
    done = write(
        run,
        artifact,
        prepared=prepared,
        split=split,
        detector_from=detector_from,
        threshold=threshold,
        quiet=quiet,
    )
    manifest = done.artifact.manifest
    console.print(str(done.parity), soft_wrap=True, highlight=False)
    for point in manifest.calibration.points:
        console.print(
            f"FMR {point.fmr:.0e}: threshold {point.threshold:.4f}, FNMR {100 * point.fnmr:.1f} %",
            highlight=False,
        )
    console.print(
        f"{manifest.name} {manifest.version} ({manifest.fingerprint}) written to {artifact}; "
        f"detection threshold {manifest.detection_threshold:.4f}",
        soft_wrap=True,
        highlight=False,
    )


def _augment(text: str) -> tuple[Augment, ...]:
    if text == _EVERYTHING:
        return tuple(Augment)
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in set(Augment)]
    if unknown:
        known = ", ".join(Augment)
        raise ValueError(f"expected --augment of {known} or {_EVERYTHING}, found '{unknown[0]}'")
    return tuple(Augment(name) for name in dict.fromkeys(names))


def _say(result: FitResult, out: Path) -> None:
    if not result.chief:
        return
    if result.begun_at:
        console.print(f"went on after epoch {result.begun_at}")
    console.print(
        f"{result.records[-1].epoch} epochs, {result.seconds_an_epoch:.1f} s each; "
        f"the weights of epoch {result.epoch} are kept",
        highlight=False,
    )
    if result.test is None:
        console.print("no test split to judge by")
    else:
        test = result.test
        console.print(
            f"test, {test.pairs} pairs at a threshold of 0.5: precision {test.precision:.3f}, "
            f"recall {test.recall:.3f}, accuracy {test.accuracy:.3f}; EER {test.eer:.3f}",
            soft_wrap=True,
            highlight=False,
        )
    console.print(f"see {out / 'history.csv'} and {out / 'curves'}", soft_wrap=True)
