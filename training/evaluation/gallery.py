"""The paper's `verify` on many people: k references each, both thresholds, verdicts.

Of each identity with more than k pictures, k are drawn as references. The others
are its genuine probes; pictures of all other identities are its impostor probes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.runtimes.base import Runtime
from training.evaluation.intervals import Interval, draws_of, share_interval
from training.pictures import Embedded

REFERENCES = 5
_MOST_PROBES = 5000


@dataclass(frozen=True)
class GalleryResult:
    """Verdicts at one pair of thresholds.

    Attributes:
        references: Of each identity.
        identities: Enrolled ones.
        genuine_verified, genuine_probes: The identity's own pictures.
        impostor_verified, impostor_probes: Those of others: each picture tries to
            pass as each enrolled identity.
        true_interval, false_interval: 95 %, by bootstrap over enrolled identities.
    """

    references: int
    identities: int
    detection_threshold: float
    verification_threshold: float
    genuine_verified: int
    genuine_probes: int
    impostor_verified: int
    impostor_probes: int
    true_interval: Interval
    false_interval: Interval

    @property
    def true_rate(self) -> float:
        """Share of genuine probes that are verified."""
        return self.genuine_verified / self.genuine_probes

    @property
    def false_rate(self) -> float:
        """Share of impostor probes that are verified."""
        return self.impostor_verified / max(1, self.impostor_probes)


def gallery(
    embedded: Embedded,
    runtime: Runtime,
    thresholds: Sequence[tuple[float, float]],
    references: int = REFERENCES,
    seed: int = 0,
) -> list[GalleryResult]:
    """Verdicts of every probe against every enrolled identity.

    Args:
        thresholds: (detection, verification) pairs to decide by.
        references: Of each identity, k.

    Returns:
        A result for each pair of thresholds; none if no identity has more than k
        pictures.
    """
    names, owner = np.unique(embedded.identities, return_inverse=True)
    generator = np.random.default_rng(seed)
    rows = [
        generator.permutation(np.flatnonzero(owner == identity))[:references]
        for identity in range(len(names))
        if np.count_nonzero(owner == identity) > references
    ]
    if not rows:
        return []
    enrolled = np.array([owner[own[0]] for own in rows])
    enrolled_rows = np.concatenate(rows)
    probes = np.arange(len(owner))
    if len(probes) > _MOST_PROBES:
        probes = np.sort(generator.choice(probes, _MOST_PROBES, replace=False))
    scores = np.stack(
        [
            runtime.score(embedded.embeddings[row], embedded.embeddings[enrolled_rows])
            for row in probes
        ]
    ).reshape(len(probes), len(rows), references)
    genuine = owner[probes][:, None] == enrolled
    used = np.isin(probes, enrolled_rows)
    # A picture is no probe of the identity whose reference it is.
    own_probe = genuine & ~used[:, None]
    if not own_probe.any():
        return []
    return [_decided(scores, own_probe, ~genuine, pair) for pair in thresholds]


def _decided(
    scores: NDArray[np.float32],
    genuine: NDArray[np.bool_],
    impostor: NDArray[np.bool_],
    thresholds: tuple[float, float],
) -> GalleryResult:
    """Scores (probes, identities, k); masks (probes, identities)."""
    detection, verification = thresholds
    references = scores.shape[2]
    matched = (scores > detection).sum(axis=2) / references
    verified = matched > verification
    draws = draws_of(np.ones(scores.shape[1], dtype=np.bool_), 0)
    counts = [(kind.sum(axis=0), (kind & verified).sum(axis=0)) for kind in (genuine, impostor)]
    (true_trials, true_hits), (false_trials, false_hits) = counts
    return GalleryResult(
        references=references,
        identities=scores.shape[1],
        detection_threshold=detection,
        verification_threshold=verification,
        genuine_verified=int(true_hits.sum()),
        genuine_probes=int(true_trials.sum()),
        impostor_verified=int(false_hits.sum()),
        impostor_probes=int(false_trials.sum()),
        true_interval=share_interval(true_hits, true_trials, draws),
        false_interval=share_interval(false_hits, false_trials, draws),
    )
