"""Folders of face pictures as embeddings, by the path that a request takes.

decode -> detect -> take the face nearest the middle -> align -> embed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from rich.progress import track

from model.chip import chip_of, located
from model.contract import Manifest
from model.faces import Detector, nearest_centre
from model.image import ImageError, Limits, Picture
from model.runtimes.base import Runtime
from model.sight import faces_of, sight_of
from model.types import AnyArray, Array, Image

_BATCH = 32
# The detector and the tower use every core by themselves; two workers keep them
# fed while the other decodes.
_WORKERS = 2


@dataclass(frozen=True)
class Embedded:
    """Embeddings of pictures.

    Attributes:
        names: Path below the folder, such as "Aaron_Guiel/Aaron_Guiel_0001.jpg".
        identities: First folder of each name.
        embeddings: Row for each name. Shape (N, D).
        missed: Names in which no face was found, or that are no image.
    """

    names: tuple[str, ...]
    identities: AnyArray
    embeddings: Array
    missed: tuple[str, ...]

    def index(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self.names)}


def warm_up(detector: Detector) -> Detector:
    """The detector after a first look, at nothing; before several threads use it.

    OpenVINO's Python binding sets itself up at the first use of a tensor's data, with
    the interpreter's lock let go in the middle: two threads that come to it at once
    can wait for each other for ever (seen with 2026.4.1 on a busy machine).
    """
    detector.detect(np.zeros((32, 32, 3), dtype=np.uint8))
    return detector


def picture_names(folder: Path) -> list[str]:
    """Paths below `folder` of what calls itself a picture, in the order of names."""
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"}
    )


def embed_folder(folder: Path, detector: Detector, runtime: Runtime, *, quiet: bool) -> Embedded:
    """Embeds every picture below `folder`, one subfolder an identity."""
    cut = partial(chip_in, folder, warm_up(detector), runtime.manifest)
    return embed_chips(picture_names(folder), cut, runtime, f"embed {folder.name}", quiet=quiet)


def chip_in(folder: Path, detector: Detector, manifest: Manifest, name: str) -> Image | None:
    """The aligned face nearest the middle of a picture, or None if there is none."""
    try:
        picture = Picture((folder / name).read_bytes(), Limits())
        faces = faces_of(picture, detector, manifest)
        if not faces:
            return None
        sight = sight_of(picture, nearest_centre(faces, picture.size), manifest)
    except ImageError:
        return None
    face = located(detector, sight.image, sight.face, manifest)
    return chip_of(sight.image, face, manifest)


def embed_chips(
    names: list[str],
    cut: Callable[[str], Image | None],
    runtime: Runtime,
    title: str,
    *,
    quiet: bool,
) -> Embedded:
    """Embeds the chip of each name.

    Args:
        cut: Name to chip (H, W, 3) of the model's size, or None if there is none;
            called from two threads.
        title: Of the progress bar.
    """
    manifest = runtime.manifest
    kept: list[str] = []
    missed: list[str] = []
    blocks: list[Array] = [np.zeros((0, manifest.embedding_size), dtype=np.float32)]
    with ThreadPoolExecutor(_WORKERS) as pool:
        pairs = zip(names, pool.map(cut, names), strict=True)
        shown = track(pairs, title, total=len(names), disable=quiet)
        for block in _batches(shown, missed):
            kept += [name for name, _ in block]
            blocks.append(runtime.embed(np.stack([chip for _, chip in block])))
    return Embedded(
        names=tuple(kept),
        identities=np.array([name.split("/")[0] for name in kept]),
        embeddings=np.concatenate(blocks),
        missed=tuple(missed),
    )


def _batches(
    pairs: Iterable[tuple[str, Image | None]],
    missed: list[str],
) -> Iterator[list[tuple[str, Image]]]:
    block: list[tuple[str, Image]] = []
    for name, chip in pairs:
        if chip is None:
            missed.append(name)
            continue
        block.append((name, chip))
        if len(block) == _BATCH:
            yield block
            block = []
    if block:
        yield block
