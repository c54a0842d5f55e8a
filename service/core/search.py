"""The best match of a face among everybody else who is enrolled.

The embeddings are read from the store a page at a time, so nothing is held in
memory and what other processes enrolled is seen. All are ranked by Euclidean
distance (by cosine where embeddings have unit length), which is one product of
matrices a page; the head scores the few nearest.

    P(some stranger matches) <= references compared * FMR of one comparison

so the more are enrolled, the stricter the threshold: `threshold` keeps that sum
below `FALSE_ALARM` as far as the model's table goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np

from model.contract import Manifest
from model.types import Array
from service.core.agreement import threshold_at
from service.core.core import Core

PAGE = 4096
NEAREST = 16
FALSE_ALARM = 0.01


@dataclass(frozen=True)
class Other:
    """The reference of another identity that scores highest."""

    identity: str
    score: float


@dataclass(frozen=True)
class Search:
    """What a search found.

    Attributes:
        best: For each probe; None where nobody else is enrolled.
        compared: References of others.
    """

    best: tuple[Other | None, ...]
    compared: int


_Near = tuple[float, str, Array]
"""Closeness, name and embedding of a reference."""


def search(core: Core, identity: str, probes: Array) -> Search | None:
    """The best match of each probe among the references of other identities.

    Those that another model embedded are passed over. None, and nothing is read,
    if more references are enrolled than the operator lets be searched.

    Args:
        probes: By the running model. Shape (N, D).
    """
    most = core.policy.conflict_search
    if core.store.count(at_most=most + 1) > most:
        return None
    nearest: list[list[_Near]] = [[] for _ in probes]
    compared, position = 0, 0
    fingerprint = core.fingerprint
    while True:
        page = core.store.embeddings(fingerprint, after=position, limit=PAGE)
        rows = [i for i, name in enumerate(page.identities) if name != identity]
        compared += len(rows)
        if rows:
            names = [page.identities[i] for i in rows]
            nearest = _nearest(probes, nearest, names, page.embeddings[rows])
        if page.position is None:
            break
        position = page.position
    best = tuple(_best(core, probe, near) for probe, near in zip(probes, nearest, strict=True))
    return Search(best, compared)


def best_of(searches: Sequence[tuple[Manifest, Search]]) -> list[tuple[Other | None, float]]:
    """The best match of each probe by any of several models.

    With the score that is no chance by the model that found it. One that is beyond
    chance comes before one that is not; then the higher score counts.

    Args:
        searches: What each model found for the same probes.
    """
    compared = sum(found.compared for _, found in searches)
    by_model = [
        [(other, threshold(manifest, compared)) for other in found.best]
        for manifest, found in searches
    ]
    return [max(candidates, key=_rank) for candidates in zip(*by_model, strict=True)]


def _rank(found: tuple[Other | None, float]) -> tuple[bool, float]:
    other, chance = found
    return (False, -1.0) if other is None else (other.score > chance, other.score)


def threshold(manifest: Manifest, compared: int) -> float:
    """The score above which a match among so many references is no chance.

    Never below the model's own detection threshold.
    """
    strict = threshold_at(manifest.calibration, FALSE_ALARM / max(compared, 1))
    return max(strict, manifest.detection_threshold)


def _nearest(
    probes: Array, before: list[list[_Near]], names: list[str], embeddings: Array
) -> list[list[_Near]]:
    """The nearest of those before and a page more, for each probe."""
    # -|p - r|^2 but for |p|^2, which is the same for all.
    closeness = 2 * probes @ embeddings.T - np.sum(embeddings**2, axis=1)
    after = []
    for near, row in zip(before, closeness, strict=True):
        few = np.argpartition(-row, NEAREST)[:NEAREST] if len(row) > NEAREST else range(len(row))
        more = [(float(row[i]), names[i], embeddings[i]) for i in few]
        after.append(sorted([*near, *more], key=itemgetter(0), reverse=True)[:NEAREST])
    return after


def _best(core: Core, probe: Array, near: list[_Near]) -> Other | None:
    if not near:
        return None
    scores = core.model.score(probe, np.stack([embedding for _, _, embedding in near]))
    top = int(np.argmax(scores))
    return Other(near[top][1], float(scores[top]))
