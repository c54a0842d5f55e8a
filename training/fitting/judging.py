"""How well a network tells pairs apart, by figures that every epoch reports."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from model.types import AnyArray, Array, Image
from training.fitting.chip_set import ChipSet

_BLOCK = 64


@dataclass(frozen=True)
class Figures:
    """Of pairs, at the paper's threshold of 0.5.

    Attributes:
        loss: Mean binary cross-entropy.
        precision: Of the pairs called one person, the share that is; 0 if none is.
        recall: Of the pairs of one person, the share called so.
        eer: Error rate at the threshold where FMR and FNMR are equal.
    """

    pairs: int
    loss: float
    accuracy: float
    precision: float
    recall: float
    eer: float


def judge(logits: Array, same: AnyArray) -> Figures:
    """The figures of scored pairs.

    Args:
        logits: Above 0 means one person. Shape (P,).
        same: 1 or 0. Shape (P,).
    """
    called, truth = logits > 0, same > 0.5
    right = int(np.sum(called & truth))
    signed = np.where(truth, -logits, logits).astype(np.float64)
    return Figures(
        pairs=len(same),
        loss=float(np.mean(np.logaddexp(0, signed))),
        accuracy=float(np.mean(called == truth)),
        precision=right / max(1, int(called.sum())),
        recall=right / max(1, int(truth.sum())),
        eer=equal_error_rate(logits, truth),
    )


def equal_error_rate(scores: Array, same: AnyArray) -> float:
    """The rate where as many impostors match as genuine pairs do not."""
    genuine, impostor = np.sort(scores[same]), np.sort(scores[~same])
    if not len(genuine) or not len(impostor):
        return float("nan")
    thresholds = np.unique(scores)
    missed = np.searchsorted(genuine, thresholds, side="right") / len(genuine)
    matched = 1 - np.searchsorted(impostor, thresholds, side="right") / len(impostor)
    nearest = int(np.argmin(np.abs(missed - matched)))
    return float((missed[nearest] + matched[nearest]) / 2)


def embed_rows(embed: Callable[[Image], Array], chips: ChipSet, rows: AnyArray, size: int) -> Array:
    """Embeddings of the chips in the given rows, others zero. Shape (N, D)."""
    found = np.zeros((len(chips.names), size), dtype=np.float32)
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        found[block] = embed(chips.read(block))
    return found
