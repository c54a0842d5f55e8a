"""LFW's 6,000 pairs as rows of the faces that were found in its pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.variants_features import Found
from model.types import AnyArray
from training.pairs import read_lfw_pairs


@dataclass(frozen=True)
class ListOfPairs:
    """Pairs of rows, whether they are of one person, and their folds. Shape (P,) each."""

    first: AnyArray
    second: AnyArray
    same: AnyArray
    folds: AnyArray


def lfw_pictures(
    folder: Path, limit: int | None
) -> tuple[list[str], Callable[[Found], ListOfPairs]]:
    """The pictures that the pairs name, and what makes pairs of the faces found in them.

    Args:
        limit: Ten pairs for each of so many; all if None.
    """
    named, same, folds = read_lfw_pairs(folder / "pairs.txt")
    count = len(named)
    chosen = np.arange(0, count, 1 if limit is None else max(1, count // (10 * limit)))
    names = sorted({name for at in chosen for name in named[at]})

    def listed(found: Found) -> ListOfPairs:
        row_of = {name: row for row, name in enumerate(found.names)}
        if missed := sorted(set(names) - row_of.keys()):
            raise ValueError(f"expected a face in every picture of the list, not in {missed[0]}")
        rows = [[row_of[name] for name in named[at]] for at in chosen]
        first, second = np.array(rows).T
        return ListOfPairs(first, second, np.array(same)[chosen], np.array(folds)[chosen])

    return names, listed
