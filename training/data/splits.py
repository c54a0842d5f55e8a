"""Share chips out among train, dev and test: by identity, or by image."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from training.data.errors import DataError

# One pair to train on and one to test on.
FEWEST_CHIPS = 4

_ENOUGH_FOR_TWO = 6

Splits = dict[str, list[str]]


class SplitBy(StrEnum):
    """What no two splits share."""

    IDENTITY = "identity"
    IMAGE = "image"


@dataclass(frozen=True)
class Shares:
    """Parts of dev and test, in [0, 1); the rest is for training."""

    dev: float = 0.15
    test: float = 0.15

    def __post_init__(self) -> None:
        if min(self.dev, self.test) < 0 or self.dev + self.test >= 1:
            raise DataError(
                "expected shares of dev and test that leave some for training, "
                f"found {self.dev:g} and {self.test:g}"
            )


def split_chips(chips: list[str], by: SplitBy, shares: Shares, seed: int) -> Splits:
    """Names of chips ("identity/stem.png") for train, dev and test.

    By identity, all chips of a person go to one split: numbers on test are about
    strangers. By image, each person's chips are shared out: numbers on test are
    about people who were trained on, and look better than they are for others.

    Raises:
        DataError: If there are too few chips or identities to share out.
    """
    if len(chips) < FEWEST_CHIPS:
        raise DataError(
            f"expected at least {FEWEST_CHIPS} pictures with a face, to make pairs to train "
            f"and to test on, found {len(chips)}"
        )
    identities = sorted({chip.split("/")[0] for chip in chips})
    generator = np.random.default_rng(seed)
    splits: Splits = {"train": [], "dev": [], "test": []}
    if by is SplitBy.IDENTITY:
        if len(identities) < 2:
            raise DataError(
                "expected at least two identities to split by identity, found only "
                f"'{identities[0]}'; --split image shares out its pictures instead"
            )
        # A pair of two people needs two of them, in each split where there are enough.
        least = 2 if len(identities) >= _ENOUGH_FOR_TWO else 1
        home = _shared_out(identities, shares, generator, least)
        for chip in sorted(chips):
            splits[home[chip.split("/")[0]]].append(chip)
        return splits
    for identity in identities:
        own = sorted(chip for chip in chips if chip.split("/")[0] == identity)
        for chip, split in _shared_out(own, shares, generator, 1).items():
            splits[split].append(chip)
    return splits


def _shared_out(
    names: list[str], shares: Shares, generator: np.random.Generator, least: int
) -> dict[str, str]:
    """The split of each name, in the order of names.

    Test comes before dev, and one is left to train on: with two names there is no dev.
    """
    count = len(names)
    test = _part(shares.test, count, least, count - 1)
    dev = _part(shares.dev, count, least, count - 1 - test)
    order = generator.permutation(count)
    split = {int(row): "train" for row in order}
    split |= {int(row): "test" for row in order[:test]}
    split |= {int(row): "dev" for row in order[test : test + dev]}
    return {name: split[row] for row, name in enumerate(names)}


def _part(share: float, count: int, least: int, most: int) -> int:
    """The rounded share, but at least `least` where any was asked for and there is room."""
    return max(0, min(most, max(least, round(share * count)) if share > 0 else 0))
