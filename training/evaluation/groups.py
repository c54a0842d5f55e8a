"""Error rates of each group of people, at the threshold in force.

An impostor pair counts for a group when both its people are of it: pairs within a
group are the hard ones, and the ones by which groups differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.evaluation.cautions import EXPECTED_FALSE
from training.evaluation.comparisons import Comparisons
from training.evaluation.corpus import Corpus
from training.evaluation.rates import Rates, rates_at


@dataclass(frozen=True)
class GroupRates:
    """Of one group.

    Attributes:
        identities: None for a list of pairs, which does not say.
    """

    group: str
    identities: int | None
    rates: Rates


def group_rates(
    corpus: Corpus, comparisons: Comparisons, threshold: float
) -> tuple[list[GroupRates], list[str]]:
    """Rates of each group by name, and what they cannot carry.

    None where the corpus names no groups.
    """
    found, cautions = [], []
    for group, chosen in _parts(corpus, comparisons):
        genuine, impostor = len(chosen.genuine), len(chosen.impostor)
        if not genuine or not impostor:
            cautions.append(
                f"group '{group}': {genuine} genuine and {impostor} impostor pairs, too few for "
                "a row"
            )
            continue
        (rates,) = rates_at(chosen, [threshold])
        found.append(GroupRates(group, None if chosen.listed else chosen.identities, rates))
        if rates.false_matches < EXPECTED_FALSE:
            cautions.append(
                f"group '{group}': its FMR rests on {rates.false_matches} false matches among "
                f"{impostor:,} impostor pairs; see its interval"
            )
    return found, cautions


def _parts(corpus: Corpus, comparisons: Comparisons) -> list[tuple[str, Comparisons]]:
    pictures = np.ones(len(comparisons.owner), dtype=np.bool_)
    if comparisons.listed and corpus.listed is not None and corpus.listed.groups is not None:
        of_pair = np.array(corpus.listed.groups)
        return [
            (str(group), comparisons.chosen(of_pair == group, pictures))
            for group in np.unique(of_pair)
            if group
        ]
    if comparisons.listed or corpus.group_of is None:
        return []
    of_picture = np.array([corpus.group_of.get(name, "") for name in corpus.embedded.identities])
    parts = []
    for group in np.unique(of_picture):
        if group:
            pictures = of_picture == group
            parts.append(
                (str(group), comparisons.chosen(comparisons.pairs_within(pictures), pictures))
            )
    return parts
