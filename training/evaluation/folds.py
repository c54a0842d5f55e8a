"""Folds that share no identity, and the accuracy over them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.types import AnyArray
from training.evaluation.comparisons import Comparisons
from training.metrics import Accuracy, best_threshold, fold_accuracy

FOLDS = 10
_LEAST_FOLDS = 2


@dataclass(frozen=True)
class Judged:
    """An accuracy, and in words how it was come by."""

    accuracy: Accuracy
    protocol: str


def identity_folds(comparisons: Comparisons, count: int, seed: int = 0) -> NDArray[np.int16]:
    """The fold of each pair, or -1 where its two people lie in different folds.

    Returns:
        Numbers from 0, or -1. Shape (P,).
    """
    first, second = fold_homes(comparisons, count, seed).T
    return np.where(first == second, first, np.int16(-1))


def fold_homes(comparisons: Comparisons, count: int, seed: int = 0) -> NDArray[np.int16]:
    """The folds of the two people of each pair.

    Identities are shared out at random, those with most pictures first, so that
    every fold gets some that make genuine pairs.

    Returns:
        Numbers from 0; -1 for a picture without a face. Shape (P, 2).
    """
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(comparisons.images))
    order = order[np.argsort(-comparisons.images[order], kind="stable")]
    # Small numbers: there may be a hundred million pairs.
    home = np.empty(len(order), dtype=np.int16)
    home[order] = np.arange(len(order)) % count
    fold = np.append(home[comparisons.owner], np.int16(-1))  # the last is MISSED_ROW's
    homes: NDArray[np.int16] = fold[comparisons.rows]
    return homes


def accuracy_of(comparisons: Comparisons, seed: int = 0) -> Judged:
    """The mean accuracy over folds, in the best way that the pairs allow.

    A list that names its folds is judged by them. Otherwise identities are shared
    out, and each fold takes as many impostor as genuine pairs, as in LFW; with too
    few identities the pairs are shared out instead.

    Raises:
        ValueError: If there is no genuine or no impostor pair.
    """
    if not len(comparisons.genuine) or not len(comparisons.impostor):
        raise ValueError("expected genuine and impostor pairs, found only one kind")
    if comparisons.folds is not None and len(np.unique(comparisons.folds)) >= _LEAST_FOLDS:
        found = fold_accuracy(comparisons.scores, comparisons.same, comparisons.folds)
        named = len(np.unique(comparisons.folds))
        return Judged(found, f"the list's {named} folds, {_OTHERS}")
    generator = np.random.default_rng(seed)
    for count in range(min(FOLDS, comparisons.identities // 2), _LEAST_FOLDS - 1, -1):
        folds = _even(comparisons, identity_folds(comparisons, count, seed), generator)
        if len(np.unique(folds[folds >= 0])) == count:
            return Judged(_over(comparisons, folds), f"{count} folds of identities, {_EVEN}")
    pairs = min(len(comparisons.genuine), len(comparisons.impostor))
    count = min(FOLDS, pairs)
    if count >= _LEAST_FOLDS:
        folds = np.full(len(comparisons.same), -1, dtype=np.int16)
        for kind in (comparisons.same, ~comparisons.same):
            drawn = generator.permutation(np.flatnonzero(kind))[:pairs]
            folds[drawn] = np.arange(pairs) % count
        return Judged(
            _over(comparisons, folds),
            f"{count} folds of pairs (too few identities for folds of them), {_EVEN}",
        )
    threshold = best_threshold(comparisons.scores, comparisons.same)
    right = np.mean((comparisons.scores > threshold) == comparisons.same)
    return Judged(
        Accuracy(float(right), 0.0),
        "no folds, since there is only one pair of a kind: the threshold was chosen on the "
        "pairs that it is judged by",
    )


_OTHERS = "each judged by the threshold that is best on the others"
_EVEN = f"each with as many impostor as genuine pairs, {_OTHERS}"


def _over(comparisons: Comparisons, folds: AnyArray) -> Accuracy:
    used = folds >= 0
    return fold_accuracy(comparisons.scores[used], comparisons.same[used], folds[used])


def _even(
    comparisons: Comparisons, folds: NDArray[np.int16], generator: np.random.Generator
) -> NDArray[np.int16]:
    """The folds with as many pairs of one kind as of the other; -1 for those left out."""
    chosen = np.full(len(folds), -1, dtype=np.int16)
    known = np.flatnonzero(folds >= 0)
    for fold in np.unique(folds[known]):
        own = known[folds[known] == fold]
        genuine, impostor = own[comparisons.same[own]], own[~comparisons.same[own]]
        pairs = min(len(genuine), len(impostor))
        for kind in (genuine, impostor):
            chosen[generator.choice(kind, pairs, replace=False)] = fold
    return chosen
