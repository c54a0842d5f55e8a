"""The commands `prepare` and `inspect` of `python -m training`."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from training.data.archive import UnpackLimits
from training.data.chips import Tower
from training.data.decide import FaceChoice
from training.data.errors import DataError
from training.data.paper import PER_FOLDER, PaperLayout
from training.data.shard import Shard, read_shard
from training.data.splits import Shares, SplitBy
from training.options import SFACE_ARTIFACT

if TYPE_CHECKING:
    from training.data.prepare import Part, Prepared

console = Console()


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(prepare)
    app.command()(inspect)


class Preset(StrEnum):
    """A whole set of choices by one name."""

    PAPER = "paper"


def prepare(
    *,
    source: Annotated[Path, typer.Argument(help="tar, tgz, zip or folder; a folder a person.")],
    out: Annotated[Path, typer.Argument(help="Folder to make, or to go on with.")],
    tower: Annotated[
        Tower | None,
        typer.Option(help="sface: 112 x 112 (default); koch: 105 x 105, as in the paper."),
    ] = None,
    face: Annotated[FaceChoice, typer.Option(help="Which face of a picture.")] = (
        FaceChoice.LARGEST
    ),
    clean: Annotated[
        bool, typer.Option("--clean", help="Take the face that agrees with its folder, or none.")
    ] = False,
    drop_near_duplicates: Annotated[
        bool, typer.Option("--drop-near-duplicates", help="Not only report them.")
    ] = False,
    split: Annotated[
        SplitBy | None, typer.Option(help="What no two splits share (default identity).")
    ] = None,
    dev_share: Annotated[float, typer.Option(help="Part of the split for choosing.")] = 0.15,
    test_share: Annotated[float, typer.Option(help="Part of the split for testing.")] = 0.15,
    seed: Annotated[int, typer.Option(help="Of the splits.", min=0)] = 1,
    preset: Annotated[
        Preset | None,
        typer.Option(help="paper: by image, anchor/positive/negative; koch if no tower is named."),
    ] = None,
    target: Annotated[str, typer.Option(help="The paper's person to verify.")] = "",
    per_folder: Annotated[
        int, typer.Option(help="Chips in each of the paper's folders.", min=1)
    ] = PER_FOLDER,
    overlap: Annotated[
        bool,
        typer.Option("--overlap/--disjoint", help="Whether a picture may be anchor and positive."),
    ] = True,
    limit_bytes: Annotated[
        int, typer.Option(help="Most that an archive may unpack to.", min=1)
    ] = UnpackLimits().max_bytes,
    artifact: Annotated[
        Path, typer.Option(help="Its detector and alignment are used.")
    ] = SFACE_ARTIFACT,
    shard: Annotated[
        str | None, typer.Option(help="i/n: do one of n parts, also at the same time as others.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Turn pictures into aligned chips, splits and a report."""
    from model.artifact import read_artifact
    from training.data.options import Options
    from training.data.prepare import prepare as run
    from training.data.prepare import prepare_shard

    start = time.monotonic()
    part = None if shard is None else read_shard(shard)
    if (preset is None) != (not target):
        raise DataError("expected --preset paper and --target NAME together, found only one")
    paper = None if preset is None else PaperLayout(target, per_folder, overlap)
    options = Options(
        tower=tower or (Tower.SFACE if paper is None else Tower.KOCH),
        face=face,
        clean=clean,
        drop_near_duplicates=drop_near_duplicates,
        split=split or (SplitBy.IDENTITY if paper is None else SplitBy.IMAGE),
        shares=Shares(dev_share, test_share),
        seed=seed,
        limits=UnpackLimits(max_bytes=limit_bytes),
        paper=paper,
        quiet=quiet,
    )
    if part is not None:
        partly = prepare_shard(source, out, read_artifact(artifact), options, part)
        _say_part(part, partly, time.monotonic() - start)
        return
    done = run(source, out, read_artifact(artifact), options)
    _say(done, out, time.monotonic() - start)


def inspect(
    out: Annotated[Path, typer.Argument(help="Folder that prepare made.")],
    samples: Annotated[int, typer.Option(help="Chips a contact sheet shows.", min=1)] = 60,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Contact sheets and counts of prepared pictures."""
    from training.data.inspect import inspect as run

    table = Table("identity", "pictures", "kept", "dropped")
    counts = run(out, samples, quiet=quiet)
    for name, pictures, kept in counts:
        table.add_row(name, str(pictures), str(kept), str(pictures - kept))
    console.print(table)
    console.print(
        f"contact sheets in {out / 'sheets'}, counts in {out / 'counts.png'}", soft_wrap=True
    )


def _say_part(shard: Shard, done: Part, seconds: float) -> None:
    console.print(
        f"shard {shard}: {done.mine} pictures, {done.looked} looked at and {done.cut} chips cut "
        f"now, in {seconds:.1f} s",
        soft_wrap=True,
    )
    if done.waiting:
        say = f"{done.waiting} pictures of other shards are not looked at yet"
    else:
        say = "every picture is looked at"
    console.print(f"{say}; at the end, run prepare without --shard", soft_wrap=True)


def _say(done: Prepared, out: Path, seconds: float) -> None:
    counts: dict[str, Any] = done.report["counts"]
    table = Table("identity", "pictures", "kept", "dropped")
    for name, row in done.report["identities"].items():
        table.add_row(name, *(str(row[key]) for key in ("pictures", "kept", "dropped")))
    if counts["identities"] <= 40:
        console.print(table)
    reasons = ", ".join(f"{n} {reason}" for reason, n in counts["dropped_by_reason"].items() if n)
    console.print(
        f"{counts['kept']} chips of {counts['pictures']} pictures; "
        f"dropped: {reasons or 'none'}; near-duplicates: {counts['near_duplicates']}",
        soft_wrap=True,
    )
    for note in done.report["notes"]:
        console.print(f"note: {note}", soft_wrap=True)
    console.print(
        f"{done.looked} pictures looked at and {done.cut} chips cut now, "
        f"in {seconds:.1f} s; see {out / 'report.json'}",
        soft_wrap=True,
    )
