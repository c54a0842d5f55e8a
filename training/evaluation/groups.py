"""Error rates of each group of people or pictures.

A pair counts for a group when both its pictures are of it, or when their values
fall into its bin (`training.attributes.pair_groups`), impostor pairs as well:
pairs within a group are the hard ones, and the ones by which groups differ.

Each group is judged at three thresholds: the model's own, which is in force; the
one that has an FMR of 1e-3 on all pairs, for what people of one group lose by a
threshold for all; and the one that has it on the group's own pairs, for what they
would lose were each group given its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np

from model.types import AnyArray
from training.attributes.intervals import drawn_pairs, pairs_interval
from training.attributes.pair_groups import PairGroup, pair_groups
from training.evaluation.cautions import EXPECTED_FALSE
from training.evaluation.comparisons import Comparisons
from training.evaluation.corpus import Corpus
from training.evaluation.intervals import draws_of, share_interval
from training.evaluation.rates import Rates, allowed_false, rates_at

RATE = 1e-3


@dataclass(frozen=True)
class GroupRates:
    """Of one group.

    Attributes:
        attribute: Column that it is from, such as "group", or "yaw difference".
        group: Its value, or its bin with the edges.
        identities: None for a list of pairs, which does not say.
        rates: At the model's threshold.
        at_overall: At the threshold with an FMR of 1e-3 on all pairs; None if they
            are too few.
        at_own: The same of the group's own pairs.
    """

    attribute: str
    group: str
    identities: int | None
    rates: Rates
    at_overall: Rates | None = None
    at_own: Rates | None = None


def group_rates(
    corpus: Corpus, comparisons: Comparisons, threshold: float, seed: int = 0
) -> tuple[list[GroupRates], list[str]]:
    """Rates of each group, and what they cannot carry.

    Nothing where the corpus names no groups.
    """
    overall = threshold_at(comparisons.impostor, RATE)
    found, cautions = [], []
    for part in _parts(corpus, comparisons):
        chosen = _chosen(comparisons, part.pairs)
        genuine, impostor = len(chosen.genuine), len(chosen.impostor)
        if not genuine or not impostor:
            cautions.append(
                f"{part.attribute} '{part.group}': {genuine} genuine and {impostor} impostor "
                "pairs, too few for a row"
            )
            continue
        own = threshold_at(chosen.impostor, RATE)
        thresholds = [one for one in (threshold, overall, own) if one is not None]
        rates = dict(zip(thresholds, _rates(chosen, thresholds, seed), strict=True))
        found.append(
            GroupRates(
                attribute=part.attribute,
                group=part.group,
                identities=None if chosen.listed else chosen.identities,
                rates=rates[threshold],
                at_overall=None if overall is None else rates[overall],
                at_own=None if own is None else rates[own],
            )
        )
    return found, [*cautions, *_rest_on_few(found)]


def threshold_at(impostor: AnyArray, rate: float) -> float | None:
    """The lowest threshold that keeps the rate; None with too few pairs for it.

    Args:
        impostor: Scores, descending. Shape (I,).
    """
    allowed = allowed_false(rate, len(impostor))
    return float(impostor[allowed]) if 1 <= allowed < len(impostor) else None


def _rest_on_few(found: Sequence[GroupRates]) -> Iterator[str]:
    for attribute, rows in groupby(found, lambda one: one.attribute):
        few = [one.group for one in rows if one.rates.false_matches < EXPECTED_FALSE]
        if few:
            yield (
                f"{attribute}: the FMR of {', '.join(few)} rests on fewer than {EXPECTED_FALSE} "
                "false matches; see the interval"
            )


def _parts(corpus: Corpus, comparisons: Comparisons) -> Iterator[PairGroup]:
    listed = corpus.listed
    if comparisons.listed and listed is not None and listed.groups is not None:
        of_pair = np.array(listed.groups)
        for group in np.unique(of_pair):
            if group:
                yield PairGroup("group", str(group), of_pair == group)
    table, embedded = corpus.attributes, corpus.embedded
    if table is not None:
        keys = embedded.identities if table.key == "identity" else np.array(embedded.names)
        yield from pair_groups(table, keys, comparisons)


def _chosen(comparisons: Comparisons, pairs: AnyArray) -> Comparisons:
    """Some of the pairs; their `images` say only which identities are among them."""
    chosen = comparisons.chosen(pairs, np.zeros(len(comparisons.owner), dtype=np.bool_))
    images = np.zeros_like(comparisons.images)
    images[comparisons.owner[chosen.rows[chosen.rows >= 0]]] = 1
    return replace(chosen, images=images)


def _rates(chosen: Comparisons, thresholds: Sequence[float], seed: int) -> list[Rates]:
    """Rates with intervals by bootstrap over the identities of the chosen pairs."""
    if chosen.listed:
        return rates_at(chosen, thresholds)
    draws = draws_of(chosen.images > 0, seed)
    owner = chosen.owner.astype(np.int32)
    rows, scores = chosen.rows[~chosen.same], chosen.scores[~chosen.same]
    trials = drawn_pairs(owner[rows], draws)
    whose = owner[chosen.rows[chosen.same, 0]]
    count = len(chosen.images)
    results = []
    for threshold in thresholds:
        false, missed = scores > threshold, chosen.genuine <= threshold
        results.append(
            Rates(
                threshold=float(threshold),
                true_matches=int((~missed).sum()),
                false_non_matches=int(missed.sum()),
                false_matches=int(false.sum()),
                true_non_matches=int((~false).sum()),
                fmr_interval=pairs_interval(owner[rows[false]], trials, draws),
                fnmr_interval=share_interval(
                    np.bincount(whose[missed], minlength=count),
                    np.bincount(whose, minlength=count),
                    draws,
                ),
            )
        )
    return results
