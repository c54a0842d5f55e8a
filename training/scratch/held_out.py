"""Chips for the siamese network, shared out into those to learn from and those held out."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.types import AnyArray
from training.scratch.chips import read_named_chips
from training.scratch.types import Float

# A pair of two people needs two of them, on both sides.
_FEWEST_IDENTITIES = 4


@dataclass(frozen=True)
class Side:
    """Chips of one side.

    Attributes:
        chips: Shape (m, 32, 32, 3).
        identities: Who each one shows. Shape (m,).
    """

    chips: Float
    identities: AnyArray

    @property
    def people(self) -> int:
        return len(np.unique(self.identities))


@dataclass(frozen=True)
class Divided:
    """Both sides, and a sentence on how they were divided."""

    train: Side
    held_out: Side
    how: str


def read_divided(folder: Path, held_out: float, seed: int) -> Divided:
    """The chips of a folder of identities, or of one that `prepare` made.

    What `prepare` split is divided as it says: train against test. Any other is
    divided by identity, or by image where there are too few identities.

    Args:
        held_out: Share of identities (or of images) to hold out, in (0, 1).

    Raises:
        ValueError: If there are too few chips to make pairs of on both sides.
    """
    if not folder.is_dir():
        raise ValueError(f"expected a folder of identities, found none at '{folder.name}'")
    splits = folder / "splits.json"
    prepared = splits.is_file() and (folder / "chips").is_dir()
    chips, files = read_named_chips(folder / "chips" if prepared else folder)
    names = np.array([file.split("/")[0] for file in files], dtype=np.str_)
    if prepared:
        side = _sides_of(splits, files)
        how = "as prepare split them"
    else:
        side, how = _drawn(names, held_out, seed)
    parts = [Side(chips[side == part], names[side == part]) for part in ("train", "test")]
    for part, what in zip(parts, ("to learn from", "to hold out"), strict=True):
        _, counts = np.unique(part.identities, return_counts=True)
        if len(counts) < 2 or counts.max() < 2:
            raise ValueError(
                f"expected two identities {what} in '{folder.name}', one of them with two "
                f"pictures, found {len(part.identities)} pictures of {len(counts)}"
            )
    shared = set(parts[0].identities.tolist()) & set(parts[1].identities.tolist())
    by = "by image: the same people are on both sides" if shared else "by identity"
    return Divided(parts[0], parts[1], f"{by}, {how}")


def _sides_of(splits: Path, files: list[str]) -> AnyArray:
    try:
        content = json.loads(splits.read_text(encoding="utf-8"))
        side_of = {name: side for side, names in content.items() for name in names}
    except (ValueError, AttributeError, TypeError):
        raise ValueError(f"expected splits in {splits.name}, found something else") from None
    # dev has no part in it: it is for choosing settings.
    return np.array([side_of.get(file, "none") for file in files], dtype=np.str_)


def _drawn(names: AnyArray, held_out: float, seed: int) -> tuple[AnyArray, str]:
    generator = np.random.default_rng(seed)
    side = np.full(len(names), "train", dtype="<U5")
    identities = np.unique(names)
    if len(identities) >= _FEWEST_IDENTITIES:
        count = min(max(2, round(held_out * len(identities))), len(identities) - 2)
        side[np.isin(names, generator.permutation(identities)[:count])] = "test"
        return side, f"seed {seed}"
    for identity in identities:
        rows = generator.permutation(np.flatnonzero(names == identity))
        side[rows[: round(held_out * len(rows))]] = "test"
    few = f"{len(identities)} identities are too few to hold some of them out"
    return side, f"seed {seed}, as {few}"
