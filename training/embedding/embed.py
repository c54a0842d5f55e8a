"""`embed`: every picture of a folder of identities, or every chip of a prepared one."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

from model.artifact import Artifact
from model.faces import Detector
from model.image import ImageError, Limits, decode
from model.runtimes.base import Runtime
from model.types import Image
from training.data.chips import CHIPS
from training.data.errors import DataError
from training.data.shard import Shard
from training.data.state import REPORT
from training.embedding.file import WHOLE, EmbeddedFile
from training.pictures import chip_in, embed_chips, picture_names, warm_up


def embed(
    source: Path, artifact: Artifact, runtime: Runtime, shard: Shard | None, *, quiet: bool
) -> EmbeddedFile:
    """The embeddings of a folder, or of one shard of it.

    A folder that `prepare` made is embedded from its chips as they are; in any
    other the face nearest the middle is looked for, as in a request.

    Raises:
        DataError: If there is nothing to embed, or chips have not the model's size.
    """
    chips = source / CHIPS
    prepared = (source / REPORT).is_file() and chips.is_dir()
    folder = chips if prepared else source
    names = _names(folder, source.name)
    chip_of = (
        partial(_chip, folder, artifact.manifest.input_size)
        if prepared
        else partial(chip_in, folder, warm_up(Detector(artifact.detector)), artifact.manifest)
    )
    part = shard or WHOLE
    title = f"embed {source.name}"
    embedded = embed_chips(part.of(names), chip_of, runtime, title, quiet=quiet)
    return EmbeddedFile(
        embedded,
        fingerprint=artifact.manifest.fingerprint,
        listing=hashlib.sha256("\n".join(names).encode(errors="surrogateescape")).hexdigest(),
        kind="chips" if prepared else "pictures",
        shard=part,
    )


def _names(folder: Path, shown: str) -> list[str]:
    if not folder.is_dir():
        raise DataError(f"expected a folder of pictures, found none at '{shown}'")
    names = picture_names(folder)
    if not names:
        raise DataError(f"expected pictures in the folders of '{shown}', found none")
    stray = next((name for name in names if "/" not in name), None)
    if stray is not None:
        raise DataError(
            f"expected only pictures in a folder for each identity in '{shown}', "
            f"found '{stray}' outside of them"
        )
    return names


def _chip(folder: Path, size: tuple[int, int], name: str) -> Image | None:
    try:
        chip = decode((folder / name).read_bytes(), Limits())
    except ImageError:
        return None
    if chip.shape[:2] != size:
        raise DataError(
            f"expected chips of {size[0]} x {size[1]} pixels for this model, found "
            f"{chip.shape[0]} x {chip.shape[1]}; prepare them for its tower"
        )
    return chip
