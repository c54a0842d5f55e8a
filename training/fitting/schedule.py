"""What each epoch trains on: drawn from the seed and the number of the epoch alone.

So a run that goes on after an interruption sees what it would have seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.types import AnyArray
from training.data.errors import DataError
from training.fitting.chip_set import ChipSet
from training.fitting.pairs import ChipPairs, drawn_pairs, paper_pairs
from training.fitting.settings import FitSettings, Loss

# Chips of an identity in a batch of the triplet loss, where it has so many.
_CHIPS_OF_ONE = 4


@dataclass(frozen=True)
class Epoch:
    """Examples of an epoch, in order, filled up to whole batches.

    Attributes:
        probe: Rows of chips. Shape (E,).
        reference: Rows of their partners; the same as `probe` for losses without.
        label: Whether a pair is of one identity; else the identity. Shape (E,).
        share: Weight of each example in the loss of its step: one part in the
            number of real examples there, 0 for what fills up. Shape (E,), float32.
    """

    probe: AnyArray
    reference: AnyArray
    label: AnyArray
    share: AnyArray


def epoch_of(chips: ChipSet, settings: FitSettings, number: int, replicas: int) -> Epoch:
    """The examples of an epoch for a number of replicas together.

    Raises:
        DataError: If the training split has too little.
    """
    generator = np.random.default_rng([settings.seed, number])
    if settings.loss in (Loss.BCE, Loss.CONTRASTIVE):
        pairs = training_pairs(chips, settings, generator)
        pairs = pairs.take(generator.permutation(len(pairs)))
        return _filled(pairs.probe, pairs.reference, pairs.same, settings.batch * replicas)
    rows = _chips_in_order(chips, settings, generator)
    return _filled(rows, rows, chips.identities[rows], settings.batch * replicas)


def training_pairs(
    chips: ChipSet, settings: FitSettings, generator: np.random.Generator
) -> ChipPairs:
    """The pairs of an epoch, not yet shuffled."""
    if chips.paper is not None and settings.pairs_per_epoch is None:
        return paper_pairs(chips, "train")
    count = settings.pairs_per_epoch or len(chips.rows("train"))
    return drawn_pairs(chips, "train", count, generator)


def _chips_in_order(
    chips: ChipSet, settings: FitSettings, generator: np.random.Generator
) -> AnyArray:
    """Training chips in a random order; for triplets in little groups of one identity."""
    rows = generator.permutation(chips.rows("train"))
    count = settings.pairs_per_epoch or len(rows)
    if len(np.unique(chips.identities[rows])) < 2:
        raise DataError(f"expected two identities to train on, found {len(rows)} chips of one")
    if settings.loss is not Loss.TRIPLET:
        return np.resize(rows, count) if count > len(rows) else rows[:count]
    own = [rows[chips.identities[rows] == who] for who in np.unique(chips.identities[rows])]
    groups: list[AnyArray] = []
    while sum(map(len, groups)) < count:
        order = generator.permutation(len(own))
        groups += [
            generator.choice(own[who], min(_CHIPS_OF_ONE, len(own[who])), replace=False)
            for who in order
        ]
    return np.concatenate(groups)[:count]


def _filled(probe: AnyArray, reference: AnyArray, label: AnyArray, step: int) -> Epoch:
    count = len(probe)
    steps = -(-count // step)
    at = np.resize(np.arange(count), steps * step)
    real = np.arange(steps * step) < count
    share = real.reshape(steps, step) / real.reshape(steps, step).sum(axis=1, keepdims=True)
    return Epoch(probe[at], reference[at], label[at], share.astype(np.float32).ravel())
