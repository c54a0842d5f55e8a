"""The identities whose references score highest against a face: exact, a page at a time.

Nothing is held in memory, and what other processes enrolled is seen; so each search
reads all embeddings once.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import Final

import numpy as np

from model.types import Array
from service.core.core import Core
from service.core.index import PAGE
from service.core.thresholds import detection_threshold

_EACH: Final = 8
_FEWEST: Final = 64
"""References to score, at least, and for each identity that is asked for: one has several."""


@dataclass(frozen=True)
class Ranked:
    """An identity and its best reference's score.

    Attributes:
        matched: Whether that is above the detection threshold of the model that made it.
    """

    identity: str
    score: float
    matched: bool


def candidates(core: Core, probe: Array, count: int) -> tuple[Ranked, ...]:
    """The highest score first, of those that do not match, too; by the core's own model.

    Args:
        probe: By the core's model. Shape (D,).
    """
    kept = max(_FEWEST, _EACH * count)
    nearest: list[tuple[float, str, Array]] = []
    position = 0
    while True:
        page = core.store.embeddings(core.fingerprint, after=position, limit=PAGE)
        if page.identities:
            # -|p - r|^2 but for |p|^2, which is the same for all.
            closeness = 2 * page.embeddings @ probe - np.sum(page.embeddings**2, axis=1)
            few = np.argsort(-closeness)[:kept].tolist()
            more = [(float(closeness[i]), page.identities[i], page.embeddings[i]) for i in few]
            nearest = sorted([*nearest, *more], key=itemgetter(0), reverse=True)[:kept]
        if page.position is None:
            break
        position = page.position
    if not nearest:
        return ()
    scores = core.model.score(probe, np.stack([row for _, _, row in nearest])).tolist()
    best: dict[str, float] = {}
    for score, (_, identity, _) in zip(scores, nearest, strict=True):
        best[identity] = max(score, best.get(identity, 0.0))
    ranked = sorted(best.items(), key=itemgetter(1), reverse=True)
    above = detection_threshold(core.model.manifest, core.policy, None, None).value
    return tuple(Ranked(identity, score, score > above) for identity, score in ranked[:count])
