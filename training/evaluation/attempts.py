"""Impostor and genuine attempts by score, with the people that they rest on.

An attempt is one comparison of two pictures, or one verdict of a probe on the
references of an identity. Both have two people: who is enrolled, and who presents.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from model.types import AnyArray, Array
from training.evaluation.comparisons import Comparisons

_KEPT = 5
"""Impostor scores are kept down to this many times the loosest rate asked for."""


@dataclass(frozen=True)
class Attempts:
    """Attempts of which impostor scores below some floor are only counted.

    Of two people i and j there were `enrolled[i] * presented[j]` attempts of j to
    pass as i.

    Attributes:
        impostor: The highest scores of impostors, descending. Shape (F,).
        people: Numbers of the two people of each. Shape (F, 2).
        enrolled, presented: Of each identity. Shape (identities,).
        genuine: Scores of genuine attempts. Shape (G,).
        who: Number of the person of each. Shape (G,).
        repeats: How often each picture attempts the same identity, against other
            references: no more evidence of people than one attempt.
    """

    impostor: Array
    people: NDArray[np.int32]
    enrolled: NDArray[np.float64]
    presented: NDArray[np.float64]
    genuine: Array
    who: NDArray[np.int64]
    repeats: int = 1

    def trials(self, draws: AnyArray | None = None) -> AnyArray:
        """Impostor attempts, weighted by how often each identity was drawn.

        Returns:
            A number, or one for each row of draws. Shape () or (B,).
        """
        weights = np.ones(len(self.enrolled)) if draws is None else draws.astype(np.float64)
        own = (weights**2) @ (self.enrolled * self.presented)
        total: AnyArray = (weights @ self.enrolled) * (weights @ self.presented) - own
        return total

    def among(self, chosen: NDArray[np.bool_]) -> Attempts:
        """The attempts of which all people are chosen by the mask. Shape (identities,)."""
        kept = chosen[self.people].all(axis=1)
        own = chosen[self.who]
        return replace(
            self,
            impostor=self.impostor[kept],
            people=self.people[kept],
            enrolled=self.enrolled * chosen,
            presented=self.presented * chosen,
            genuine=self.genuine[own],
            who=self.who[own],
        )

    @property
    def present(self) -> NDArray[np.bool_]:
        """Identities that took part. Shape (identities,)."""
        return (self.enrolled > 0) | (self.presented > 0)

    def false_rate(self, threshold: float) -> float:
        """Share of impostor attempts above the threshold, which must be above the floor."""
        # In double precision, as the threshold is.
        return float((self.impostor.astype(np.float64) > threshold).sum() / self.trials())

    def miss_rate(self, threshold: float) -> float:
        """Share of genuine attempts not above the threshold."""
        return float(np.mean(self.genuine.astype(np.float64) <= threshold))


def pair_attempts(comparisons: Comparisons, loosest: float) -> Attempts:
    """All pairs of some pictures as attempts.

    Args:
        comparisons: Not a list of pairs.
        loosest: The highest rate that is asked for.
    """
    scores = comparisons.impostor
    lowest = min(len(scores), int(_KEPT * loosest * len(scores)) + 1)
    floor = scores[lowest - 1]
    places = np.flatnonzero(~comparisons.same & (comparisons.scores >= floor))
    places = places[np.argsort(-comparisons.scores[places], kind="stable")]
    images = comparisons.images.astype(np.float64)
    return Attempts(
        impostor=comparisons.scores[places],
        people=comparisons.owner[comparisons.rows[places]].astype(np.int32),
        # Each pair once, whichever of the two is enrolled.
        enrolled=images / 2,
        presented=images,
        genuine=comparisons.genuine,
        who=comparisons.owner[comparisons.rows[comparisons.same, 0]],
    )
