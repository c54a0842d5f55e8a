"""On how many pairs of people the false matches of a rate rest.

One person under two names makes hundreds of false matches, and they count as one
piece of evidence. The effective number of pairs of people is

    (sum of n)^2 / sum of n^2      n: false matches of each pair of people

which is their number when all have equally many, and near 1 when one has nearly all.

Source:
    Kish, "Survey Sampling" (1965), on the effective size of a sample.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model.contract import OperatingPoint
from model.types import AnyArray
from training.evaluation.cautions import EXPECTED_FALSE
from training.evaluation.comparisons import Comparisons


def effective_pairs(people: AnyArray) -> float:
    """The effective number of pairs of people behind false matches.

    Args:
        people: The two of each false match, in any order. Shape (F, 2), F >= 1.
    """
    _, counts = np.unique(np.sort(people, axis=1), axis=0, return_counts=True)
    return float(counts.sum() ** 2 / (counts.astype(np.float64) ** 2).sum())


def evidence_cautions(
    comparisons: Comparisons, points: Sequence[OperatingPoint], names: Sequence[str]
) -> list[str]:
    """Rates with enough false matches, but of too few pairs of people.

    Args:
        names: Of the identities, by number.
    """
    if comparisons.listed:
        return []
    found = []
    for point in points:
        false = ~comparisons.same & (comparisons.scores.astype(np.float64) > point.threshold)
        people = comparisons.owner[comparisons.rows[false]]
        if len(people) < EXPECTED_FALSE:
            continue
        number = effective_pairs(people)
        if number < EXPECTED_FALSE:
            pairs, counts = np.unique(np.sort(people, axis=1), axis=0, return_counts=True)
            one, other = pairs[counts.argmax()]
            found.append(
                f"FMR {point.fmr:.0e}: its {len(people):,} false matches rest on about "
                f"{number:.0f} pairs of people; '{names[one]}' and '{names[other]}' alone make "
                f"{100 * counts.max() / len(people):.0f} %: look whether they are one person"
            )
    return found
