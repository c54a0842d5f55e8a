"""Error rates of verification after ISO/IEC 19795-1, with their intervals.

Scores are "higher is more alike"; a pair matches when its score is strictly
above the threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from model.contract import OperatingPoint
from model.types import AnyArray
from training.evaluation.attempts import pair_attempts
from training.evaluation.comparisons import Comparisons
from training.evaluation.intervals import (
    Interval,
    draws_of,
    impostor_interval,
    share_interval,
    union,
    wilson,
)
from training.evaluation.refit import fitted, independent

RATES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6)


@dataclass(frozen=True)
class Rates:
    """What one threshold does, in counts and in rates with 95 % intervals.

    Attributes:
        true_matches, false_non_matches: Of the genuine pairs.
        false_matches, true_non_matches: Of the impostor pairs.
    """

    threshold: float
    true_matches: int
    false_non_matches: int
    false_matches: int
    true_non_matches: int
    fmr_interval: Interval
    fnmr_interval: Interval

    @property
    def fmr(self) -> float:
        return _share(self.false_matches, self.false_matches + self.true_non_matches)

    @property
    def fnmr(self) -> float:
        return _share(self.false_non_matches, self.false_non_matches + self.true_matches)

    @property
    def precision(self) -> float:
        """Matches that are right, of all matches; 1 if nothing matched.

        It depends on how many impostor pairs there were for each genuine one.
        """
        found = self.true_matches + self.false_matches
        return self.true_matches / found if found else 1.0

    @property
    def precision_even(self) -> float:
        """The precision, had there been as many impostor as genuine pairs (as in the paper)."""
        found = self.recall + self.fmr
        return self.recall / found if found else 1.0

    @property
    def recall(self) -> float:
        """Genuine pairs that match: 1 - FNMR, also called TAR."""
        return 1 - self.fnmr


def rates_at(comparisons: Comparisons, thresholds: Sequence[float], seed: int = 0) -> list[Rates]:
    """Counts and rates at each threshold.

    Intervals are Wilson's for listed pairs, by bootstrap over identities for all
    pairs of some pictures (`training.evaluation.intervals`).
    """
    draws = None if comparisons.listed else draws_of(comparisons.images > 0, seed)
    genuine_owner = _genuine_owner(comparisons)
    results = []
    for threshold in thresholds:
        missed = comparisons.genuine <= threshold
        false = int(np.count_nonzero(comparisons.impostor > threshold))
        if draws is None:
            fmr_interval = wilson(false, len(comparisons.impostor))
            fnmr_interval = wilson(int(missed.sum()), len(missed))
        else:
            who = comparisons.rows[~comparisons.same & (comparisons.scores > threshold)]
            fmr_interval = impostor_interval(comparisons.owner[who], comparisons.images, draws)
            identities = len(comparisons.images)
            fnmr_interval = share_interval(
                np.bincount(genuine_owner[missed], minlength=identities),
                np.bincount(genuine_owner, minlength=identities),
                draws,
            )
        results.append(
            Rates(
                threshold=float(threshold),
                true_matches=int((~missed).sum()),
                false_non_matches=int(missed.sum()),
                false_matches=false,
                true_non_matches=len(comparisons.impostor) - false,
                fmr_interval=fmr_interval,
                fnmr_interval=fnmr_interval,
            )
        )
    return results


def measurable(comparisons: Comparisons, rates: Sequence[float] = RATES) -> tuple[float, ...]:
    """The rates at which the impostor pairs allow at least one false match."""
    total = len(comparisons.impostor)
    return tuple(rate for rate in rates if 1 <= allowed_false(rate, total) < total)


def allowed_false(rate: float, total: int) -> int:
    """The most false matches of `total` impostor pairs that keep the rate."""
    # A rate such as 0.1 has no exact form; 10 pairs do allow one false match at it.
    return int(rate * total * (1 + 1e-9))


def operating_points(
    comparisons: Comparisons, rates: Sequence[float], seed: int = 0
) -> list[OperatingPoint]:
    """The FMR table: for each rate the lowest threshold that keeps it.

    The intervals are of as many other people (`training.evaluation.refit`), or of as
    many other pairs where the pairs are a list.

    Raises:
        ValueError: If there are too few impostor pairs for a rate.
    """
    total = len(comparisons.impostor)
    for rate in rates:
        if rate not in measurable(comparisons, rates):
            raise ValueError(f"{total} impostor pairs are too few for an FMR of {rate:g}")
    if not rates:
        return []
    if not comparisons.listed:
        found = fitted(pair_attempts(comparisons, max(rates)), rates, seed)
        return [OperatingPoint(**asdict(one)) for one in found]
    return [_listed_point(comparisons, rate, seed) for rate in rates]


def _listed_point(comparisons: Comparisons, rate: float, seed: int) -> OperatingPoint:
    """A row of a list of pairs, each taken for independent of the others."""
    impostor, genuine = comparisons.impostor, comparisons.genuine
    rank = allowed_false(rate, len(impostor))
    threshold = float(impostor[rank])
    fmr, fnmr = float(np.mean(impostor > threshold)), float(np.mean(genuine <= threshold))
    intervals = independent(impostor, genuine, len(impostor), rank, seed=seed)
    return OperatingPoint(
        fmr=rate,
        threshold=threshold,
        fmr_measured=fmr,
        fmr_interval=union(intervals[0], (fmr, fmr)),
        fnmr=fnmr,
        fnmr_interval=union(intervals[1], (fnmr, fnmr)),
    )


def _genuine_owner(comparisons: Comparisons) -> AnyArray:
    owner: AnyArray = comparisons.owner[comparisons.rows[comparisons.same, 0]]
    return owner


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
