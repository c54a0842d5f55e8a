"""How well the references of one identity agree, and which of them stand outside.

    best[i], median[i], lowest[i]  of the scores of i with every other one
    link(i, j)   = score(i, j) > threshold
    group        = what hangs together by links, directly or through others
    outlier(i)   = i is outside of the group that stands for the person

The largest group stands for the person, or, where some references are trusted,
the one with most of those. Where two are equal and none is trusted, nothing tells
which is right, so all are outliers. A picture by itself is none.

One bad picture must match one of the k others by chance to slip in, so the
threshold is the one measured for an FMR of at most `SLIP` / k. Why so:
docs/decisions/0011-several-references.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.contract import Calibration
from model.types import Array
from service.core.ports import FaceModel

Mask = NDArray[np.bool_]

SLIP = 0.02
"""How often, at most, a wrong picture may match one of the right ones by chance."""


@dataclass(frozen=True)
class Agreement:
    """Scores of one reference with the identity's others, in [0, 1].

    One that is not trusted is measured by those that are, if there are any.
    """

    best: float
    median: float
    lowest: float
    outlier: bool


def agreements(model: FaceModel, embeddings: Array, trusted: Mask) -> list[Agreement | None]:
    """The agreement of each; None for each if there is only one.

    Args:
        embeddings: All by `model`. Shape (M, D).
        trusted: Which are taken to be right, against the rest. Shape (M,), bool.
    """
    count = len(embeddings)
    if count < 2:
        return [None] * count
    scores = mutual_scores(model, embeddings)
    threshold = threshold_at(model.manifest.calibration, SLIP / (count - 1))
    outside = outliers(scores > threshold, trusted)
    found: list[Agreement | None] = []
    for i, row in enumerate(scores):
        witnesses = trusted.copy() if trusted.any() and not trusted[i] else np.ones(count, bool)
        witnesses[i] = False
        seen = row[witnesses]
        found.append(
            Agreement(
                float(seen.max()), float(np.median(seen)), float(seen.min()), bool(outside[i])
            )
        )
    return found


def mutual_scores(model: FaceModel, embeddings: Array) -> Array:
    """Scores of all pairs; the head is symmetric. Shape (M, M), with 1 on the diagonal."""
    scores = np.ones((len(embeddings), len(embeddings)), dtype=np.float32)
    for i in range(len(embeddings) - 1):
        row = model.score(embeddings[i], embeddings[i + 1 :])
        scores[i, i + 1 :] = scores[i + 1 :, i] = row
    return scores


def outliers(links: Mask, trusted: Mask) -> Mask:
    """Which are outside of the group that stands for the person.

    Args:
        links: Symmetric. Shape (M, M), bool.
        trusted: Shape (M,), bool.

    Returns:
        Shape (M,), bool.
    """
    groups = _groups(links)
    # Most trusted ones first, then the larger group.
    ranks = [(int(trusted[group].sum()), int(group.sum())) for group in groups]
    top = [group for group, rank in zip(groups, ranks, strict=True) if rank == max(ranks)]
    if len(top) > 1 and not trusted.any():
        return np.ones(len(links), dtype=bool)
    outside: Mask = ~np.any(top, axis=0)
    return outside


def threshold_at(calibration: Calibration, fmr: float) -> float:
    """The threshold measured for a false match rate of at most `fmr`, or else the strictest."""
    rows = [point for point in calibration.points if point.fmr <= fmr * (1 + 1e-9)]
    return (rows or calibration.points[-1:])[0].threshold


def _groups(links: Mask) -> list[Mask]:
    """The connected parts, each as its members. Shape (M,), bool, each."""
    left = np.ones(len(links), dtype=bool)
    found = []
    while left.any():
        group = np.zeros(len(links), dtype=bool)
        group[np.argmax(left)] = True
        while (grown := group | links[group].any(axis=0)).sum() > group.sum():
            group = grown
        found.append(group)
        left &= ~group
    return found
