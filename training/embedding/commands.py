"""The commands `embed` and `embed-merge` of `python -m training`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from training.data.errors import DataError
from training.options import DEFAULT_ARTIFACT, ArtifactOption, QuietOption, RuntimeOption

console = Console()

OutArgument = Annotated[Path, typer.Argument(help="File to write, such as faces.npz.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command()(embed)
    app.command()(embed_merge)


def embed(
    *,
    source: Annotated[
        Path, typer.Argument(help="Folder of identities with pictures, or one that prepare made.")
    ],
    out: OutArgument,
    artifact: ArtifactOption = DEFAULT_ARTIFACT,
    runtime: RuntimeOption = "openvino",
    shard: Annotated[
        str | None, typer.Option(help="i/n: one of n parts, to OUT.i-of-n.npz.")
    ] = None,
    quiet: QuietOption = False,
) -> None:
    """Embed every face of a folder, to an .npz file."""
    from model.artifact import read_artifact
    from training.data.shard import read_shard
    from training.embedding.embed import embed as run
    from training.embedding.file import write_embedded
    from training.runtimes import load_runtime

    _check(out)
    part = None if shard is None else read_shard(shard)
    read = read_artifact(artifact)
    content = run(source, read, load_runtime(read, runtime), part, quiet=quiet)
    path = out if part is None else out.with_name(f"{out.stem}.{part.stem}.npz")
    write_embedded(path, content)
    embedded = content.embedded
    console.print(
        f"{len(embedded.names)} {content.kind} of {len(set(embedded.identities.tolist()))} "
        f"identities embedded, {len(embedded.missed)} without a face or unreadable; "
        f"written to {path}",
        soft_wrap=True,
        highlight=False,
    )


def embed_merge(
    out: OutArgument,
    parts: Annotated[list[Path], typer.Argument(help="What embed --shard wrote: every part.")],
) -> None:
    """Join the parts that embed --shard made."""
    from training.embedding.file import write_embedded
    from training.embedding.merge import merge

    _check(out)
    content = merge(parts)
    write_embedded(out, content)
    console.print(
        f"{len(content.embedded.names)} {content.kind} of {len(parts)} parts; written to {out}",
        soft_wrap=True,
        highlight=False,
    )


def _check(out: Path) -> None:
    if out.suffix != ".npz" or out.is_dir():
        raise DataError(f"expected a file to write that ends in .npz, found '{out.name}'")
