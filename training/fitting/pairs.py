"""Which pairs of chips a network is taught and judged with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.types import AnyArray
from training.data.errors import DataError
from training.fitting.chip_set import ChipSet

# Drawn once, so that all epochs and runs are judged alike.
_JUDGED_PAIRS = {"dev": 1000, "test": 4000}
_JUDGED_SEED = 7


@dataclass(frozen=True)
class ChipPairs:
    """Pairs of rows of a chip set.

    Attributes:
        probe, reference: Rows. Shape (P,).
        same: 1 where both show one identity, else 0. Shape (P,), float32.
    """

    probe: AnyArray
    reference: AnyArray
    same: AnyArray

    def __len__(self) -> int:
        return len(self.same)

    def take(self, order: AnyArray) -> ChipPairs:
        return ChipPairs(self.probe[order], self.reference[order], self.same[order])


def paper_pairs(chips: ChipSet, split: str) -> ChipPairs:
    """(anchor, positive, 1) and (anchor, negative, 0) within a split.

    The folders are cut by the split before they are paired, so that no picture
    of a held-out pair was trained on. (The paper holds out pairs, whose pictures
    may well be in other pairs.)

    Raises:
        DataError: If the split has no pair.
    """
    assert chips.paper is not None
    inside = set(chips.rows(split).tolist())
    anchors, positives, negatives = (
        np.array([row for row in chips.paper[name] if row in inside], dtype=np.int64)
        for name in ("anchor", "positive", "negative")
    )
    own, mates = _partners(anchors, positives)
    impostor = min(len(anchors), len(negatives))
    if not len(own) or not impostor:
        raise DataError(
            f"expected anchors, positives and negatives in the split '{split}', found "
            f"{len(anchors)}, {len(positives)} and {len(negatives)}"
        )
    return ChipPairs(
        probe=np.concatenate([own, anchors[:impostor]]),
        reference=np.concatenate([mates, negatives[:impostor]]),
        same=np.repeat(np.array([1, 0], dtype=np.float32), [len(own), impostor]),
    )


def drawn_pairs(
    chips: ChipSet, split: str, count: int, generator: np.random.Generator
) -> ChipPairs:
    """Pairs drawn from a split, half of them of one identity.

    Identities are drawn evenly, so that one with many pictures does not rule.

    Raises:
        DataError: If there are not two identities, or none with two pictures.
    """
    rows = chips.rows(split)
    own = {
        int(who): rows[chips.identities[rows] == who] for who in np.unique(chips.identities[rows])
    }
    several = [who for who, mine in own.items() if len(mine) > 1]
    if len(own) < 2 or not several:
        raise DataError(
            f"expected two identities in the split '{split}', one of them with two pictures, "
            f"found {len(rows)} pictures of {len(own)}; share them out otherwise with prepare"
        )
    everyone = list(own)
    same = np.arange(count) % 2 == 0
    probe, reference = np.empty(count, np.int64), np.empty(count, np.int64)
    for number, alike in enumerate(same):
        if alike:
            mine = own[several[generator.integers(len(several))]]
            probe[number], reference[number] = generator.choice(mine, 2, replace=False)
        else:
            one, other = generator.choice(len(everyone), 2, replace=False)
            probe[number] = generator.choice(own[everyone[one]])
            reference[number] = generator.choice(own[everyone[other]])
    return ChipPairs(probe, reference, same.astype(np.float32))


def judged_pairs(chips: ChipSet, split: str) -> ChipPairs | None:
    """The pairs that a network is judged on; None if the split has none."""
    try:
        if chips.paper is not None:
            return paper_pairs(chips, split)
        return drawn_pairs(chips, split, _JUDGED_PAIRS[split], np.random.default_rng(_JUDGED_SEED))
    except DataError:
        return None


def rows_of(pairs: ChipPairs) -> AnyArray:
    """Every chip of the pairs, once."""
    return np.unique(np.concatenate([pairs.probe, pairs.reference]))


def _partners(anchors: AnyArray, positives: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Each anchor with a positive, none with itself.

    The positives are turned on until the fewest stand beside themselves; those go.
    """
    count = min(len(anchors), len(positives))
    turns = [np.roll(positives, shift)[:count] for shift in range(max(1, len(positives)))]
    best = min(turns, key=lambda turned: int(np.sum(turned == anchors[:count])))
    apart = best != anchors[:count]
    return anchors[:count][apart], best[apart]
