"""From the references of an identity to one score: the rules of gallery fusion.

    share      the paper's: the share of references whose score is above a threshold
    max        the best reference's score
    mean       the mean of the scores' log-odds, as a score again
    centroid   the score against one template, the weighted mean of the references

`share` is decided by `service.core.decide`; the others give one score that is
compared with one threshold. Which rule errs least is measured by
`python -m training evaluate`, and a rule's thresholds are in the manifest's
verdict table.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from model.types import Array

Fused = Literal["max", "mean"]
_EDGE = 1e-7
"""Scores nearer to 0 or 1 than float32 tells apart have no log-odds."""


def fuse(rule: Fused, scores: Array) -> Array:
    """One score for each row of scores.

    Args:
        rule: `max` or `mean`.
        scores: In [0, 1], higher is more alike. Shape (..., M), M >= 1: the
            references are the last axis.

    Returns:
        In [0, 1]. Shape (...), float32.
    """
    if rule == "max":
        return np.asarray(scores.max(axis=-1), dtype=np.float32)
    inside = np.clip(scores.astype(np.float64), _EDGE, 1 - _EDGE)
    middle = np.log(inside / (1 - inside)).mean(axis=-1)
    return np.asarray(1 / (1 + np.exp(-middle)), dtype=np.float32)


def centroid(references: Array, weights: Array) -> Array:
    """The template of an identity: the weighted mean of its references.

    Its length is the weighted mean of theirs, so of unit embeddings it is one.

    Args:
        references: Embeddings. Shape (M, D), M >= 1.
        weights: At least 0, such as the references' quality; all zero counts as
            all equal. Shape (M,).

    Returns:
        Shape (D,), float32.
    """
    share = (
        weights / weights.sum() if weights.sum() > 0 else np.full(len(weights), 1 / len(weights))
    )
    mean = share @ references
    length = float(share @ np.linalg.norm(references, axis=1))
    return np.asarray(mean * (length / max(float(np.linalg.norm(mean)), 1e-12)), dtype=np.float32)
