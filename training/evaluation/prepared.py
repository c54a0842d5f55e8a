"""Chips that `prepare` made, read and embedded as they are."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage
from PIL import UnidentifiedImageError

from model.runtimes.base import Runtime
from model.types import Image
from training.data.chips import CHIPS
from training.data.errors import DataError
from training.pictures import Embedded, embed_chips

SPLITS = ("train", "dev", "test")
EVERYTHING = "all"


def embed_prepared(folder: Path, split: str, runtime: Runtime, *, quiet: bool) -> Embedded:
    """Embeddings of the chips in `folder/chips`, which are not aligned again.

    Args:
        folder: An output of `prepare`.
        split: "train", "dev", "test", or "all".

    Raises:
        DataError: If the folder is no output of `prepare`, the split is empty, or
            a chip is missing, broken, or not of the size that the model takes.
    """
    names = prepared_names(folder, split)
    size = runtime.manifest.input_size
    return embed_chips(
        names,
        lambda name: read_chip(folder / CHIPS / name, size),
        runtime,
        f"embed {folder.name}",
        quiet=quiet,
    )


def prepared_names(folder: Path, split: str) -> list[str]:
    """Names of chips ("identity/stem.png") of a split, sorted."""
    if split not in (*SPLITS, EVERYTHING):
        known = ", ".join((*SPLITS, EVERYTHING))
        raise DataError(f"expected a split of {known}; found '{split}'")
    path = folder / "splits.json"
    if not path.is_file() or not (folder / CHIPS).is_dir():
        raise DataError(
            f"expected an output of prepare with {CHIPS}/ and splits.json, found none in "
            f"'{folder.name}'"
        )
    try:
        splits = json.loads(path.read_text(encoding="utf-8"))
        named = SPLITS if split == EVERYTHING else (split,)
        names = sorted({str(name) for one in named for name in splits[one]})
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"expected splits.json with lists of chips named {', '.join(SPLITS)}, "
            f"found something else in '{folder.name}'"
        ) from error
    if not names:
        raise DataError(f"expected chips in the split '{split}', found none in '{folder.name}'")
    for name in names:
        if len(Path(name).parts) != 2 or ".." in Path(name).parts or Path(name).is_absolute():
            raise DataError(
                f"expected names such as 'identity/001.png' in splits.json, found '{name}'"
            )
    return names


def read_chip(path: Path, size: tuple[int, int]) -> Image:
    """A chip of the given (height, width). Shape (H, W, 3), uint8 RGB.

    Raises:
        DataError: If it is missing, broken or of another size.
    """
    shown = f"{path.parent.name}/{path.name}"
    try:
        with PillowImage.open(path) as picture:
            chip = np.asarray(picture.convert("RGB"), dtype=np.uint8)
    except FileNotFoundError as error:
        raise DataError(f"expected the chip '{shown}', found nothing there") from error
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise DataError(f"expected a picture in '{shown}', found something else") from error
    if chip.shape[:2] != size:
        raise DataError(
            f"expected chips of {size[0]} x {size[1]} pixels, which this model takes, found "
            f"'{shown}' of {chip.shape[0]} x {chip.shape[1]}; prepare them for its tower"
        )
    return chip
