"""The chips that `prepare` made, with their splits."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from model.types import AnyArray, Image
from training.data.chips import CHIPS
from training.data.errors import DataError
from training.data.paper import PaperLayout, choose_folders
from training.evaluation.prepared import SPLITS, read_chip


@dataclass(frozen=True)
class ChipSet:
    """Chips on disk.

    Attributes:
        folder: That `prepare` made.
        names: Of all chips ("identity/stem.png"), sorted.
        identities: Of each chip, as a number. Shape (N,).
        split: Of each chip, an index into SPLITS. Shape (N,).
        size: (height, width) of a chip, in pixels.
        paper: Rows of the paper's anchors, positives and negatives, in order, or
            None if there is no such layout. Each of shape (F,).
    """

    folder: Path
    names: tuple[str, ...]
    identities: AnyArray
    split: AnyArray
    size: tuple[int, int]
    paper: dict[str, AnyArray] | None

    def rows(self, split: str) -> AnyArray:
        """Rows of the chips of a split."""
        return np.flatnonzero(self.split == SPLITS.index(split))

    def paths(self) -> list[str]:
        """Files of all chips."""
        return [str(self.folder / CHIPS / name) for name in self.names]

    def read(self, rows: AnyArray) -> Image:
        """Chips as they are. Shape (n, H, W, 3), uint8 RGB."""
        found = [read_chip(self.folder / CHIPS / self.names[row], self.size) for row in rows]
        return np.stack(found) if found else np.zeros((0, *self.size, 3), dtype=np.uint8)

    def digest(self) -> str:
        """16 hex digits of the names and their splits."""
        text = json.dumps([self.names, self.split.tolist(), self.size])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def read_chip_set(folder: Path) -> ChipSet:
    """What `prepare` left in a folder.

    Raises:
        DataError: If it did not, or a chip is gone.
    """
    try:
        splits = json.loads((folder / "splits.json").read_text(encoding="utf-8"))
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(
            f"expected a folder that prepare made, found no splits.json and report.json "
            f"in '{folder.name}'"
        ) from error
    home = {name: SPLITS.index(split) for split in SPLITS for name in splits[split]}
    names = tuple(sorted(home))
    for name in names:
        if not (folder / CHIPS / name).is_file():
            raise DataError(
                f"expected the chip '{name}', found it missing; "
                f"run prepare again on '{folder.name}'"
            )
    _, identities = np.unique([name.split("/")[0] for name in names], return_inverse=True)
    with PillowImage.open(folder / CHIPS / names[0]) as picture:
        size = (picture.height, picture.width)
    return ChipSet(
        folder=folder,
        names=names,
        identities=identities,
        split=np.array([home[name] for name in names]),
        size=size,
        paper=_paper_rows(names, report),
    )


def _paper_rows(names: tuple[str, ...], report: dict[str, object]) -> dict[str, AnyArray] | None:
    """The paper's layout, chosen again as `prepare` chose it."""
    layout, split = report.get("paper"), report.get("split")
    if not isinstance(layout, dict) or not isinstance(split, dict):
        return None
    folders = choose_folders(list(names), PaperLayout(**layout), int(split["seed"]))
    row = {name: number for number, name in enumerate(names)}
    return {key: np.array([row[name] for name in chosen]) for key, chosen in folders.items()}
