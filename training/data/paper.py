"""The paper's layout: the folders anchor, positive and negative, of one target.

Anchors and positives are pictures of the target, negatives are of the others,
mixed. The paper takes 191 each from 300 pictures of its target, so some of its
anchors must be positives too: with `overlap` that is so, without it none is.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.data.chips import CHIPS
from training.data.errors import DataError

PER_FOLDER = 191
_NAMES = ("anchor", "positive", "negative")

Folders = dict[str, list[str]]


@dataclass(frozen=True)
class PaperLayout:
    """What was asked for.

    Attributes:
        target: The identity to verify.
        per_folder: Chips in each of the three folders.
        overlap: Anchors and positives are drawn each by itself, as the paper must
            have done; no picture is paired with itself.
    """

    target: str
    per_folder: int = PER_FOLDER
    overlap: bool = False


def choose_folders(chips: list[str], layout: PaperLayout, seed: int) -> Folders:
    """Chips ("identity/stem.png") for each folder, in the order in which they pair.

    Raises:
        DataError: If the target is not there, or there are too few chips.
    """
    own = sorted(chip for chip in chips if chip.split("/")[0] == layout.target)
    others = sorted(chip for chip in chips if chip.split("/")[0] != layout.target)
    if not own:
        known = ", ".join(sorted({chip.split("/")[0] for chip in chips})[:10])
        raise DataError(f"expected pictures of the target '{layout.target}', found only: {known}")
    count = layout.per_folder
    needed = count + 1 if layout.overlap else 2 * count
    if len(own) < needed:
        raise DataError(
            f"expected {needed} pictures of '{layout.target}' for {count} anchors and {count} "
            f"positives, found {len(own)}; {_way_out(len(own), layout)}"
        )
    if len(others) < count:
        raise DataError(
            f"expected {count} pictures of others than '{layout.target}' for the negatives, "
            f"found {len(others)}; --per-folder {len(others)} takes fewer"
        )
    # Not the splits' own numbers: the same order would put all anchors in one split.
    generator = np.random.default_rng([seed, 1])
    order = generator.permutation(len(own))
    anchors = order[:count]
    # Shifted, not drawn again: then no anchor meets itself as its positive.
    positives = order[-count:]
    negatives = generator.permutation(len(others))[:count]
    chosen = (
        [own[row] for row in anchors],
        [own[row] for row in positives],
        [others[row] for row in negatives],
    )
    return dict(zip(_NAMES, chosen, strict=True))


def _way_out(found: int, layout: PaperLayout) -> str:
    fewer = found - 1 if layout.overlap else found // 2
    text = f"--per-folder {fewer} takes fewer"
    if not layout.overlap and found > layout.per_folder:
        text += ", --overlap lets a picture be in both folders"
    return text


def copy_folders(out: Path, folders: Folders | None) -> None:
    """Makes `out/anchor`, `out/positive`, `out/negative`, each whole or not at all.

    None removes those of an earlier run, which the report would no longer tell of.
    """
    if folders is None:
        for name in _NAMES:
            shutil.rmtree(out / name, ignore_errors=True)
        return
    for name, chips in folders.items():
        staging = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=out))
        try:
            for number, chip in enumerate(chips):
                # The number keeps the pairing; the rest says where it comes from.
                shutil.copyfile(out / CHIPS / chip, staging / _name(number, chip))
            staging.chmod(0o755)
            shutil.rmtree(out / name, ignore_errors=True)
            staging.rename(out / name)
        finally:
            shutil.rmtree(staging, ignore_errors=True)


def _name(number: int, chip: str) -> str:
    return f"{number:03d}-{chip.replace('/', '-')}"
