"""The best match of a face among everybody else who is enrolled.

The index in memory (`service.core.indexes`) names the nearest references, as it does for
an identification; the head scores those few, as the store has them now.

    P(some stranger matches) <= references compared * FMR of one comparison

so the more are enrolled, the stricter the threshold: `threshold` keeps that sum
below `FALSE_ALARM` as far as the model's table goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.contract import Manifest
from model.types import Array
from service.core.agreement import threshold_at
from service.core.core import Core
from service.core.errors import GalleryTooLarge, UnknownIdentity

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


def search(core: Core, identity: str, probes: Array) -> Search | None:
    """The best match of each probe among the references of other identities.

    Those that another model embedded are passed over. None, and nothing is compared,
    if more references are enrolled than the operator lets be searched, or than fit into
    the memory for it.

    Args:
        probes: By the running model. Shape (N, D).
    """
    most = core.policy.conflict_search
    if core.store.count(at_most=most + 1) > most:
        return None
    own = _count_own(core, identity)
    best: list[Other | None] = []
    compared = 0
    try:
        for probe in probes:
            # Its own may all be nearer.
            ids, index, _ = core.indexes.nearest(core, probe, NEAREST + own, patient=True)
            compared = max(0, index.references - own)
            best.append(_best(core, identity, probe, ids))
    except GalleryTooLarge:
        return None
    return Search(tuple(best), compared)


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


def _count_own(core: Core, identity: str) -> int:
    try:
        found = core.store.references(identity)
    except UnknownIdentity:
        return 0
    return sum(one.fingerprint == core.fingerprint for one in found)


def _best(core: Core, identity: str, probe: Array, ids: Sequence[str]) -> Other | None:
    page = core.store.embeddings_by_id(core.fingerprint, ids)
    rows = [at for at, name in enumerate(page.identities) if name != identity]
    if not rows:
        return None
    scores = core.model.score(probe, page.embeddings[rows])
    top = int(np.argmax(scores))
    return Other(page.identities[rows[top]], float(scores[top]))
