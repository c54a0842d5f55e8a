"""Whether claimed intervals hold: fitted on half of the identities, measured on the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.evaluation.attempts import Attempts
from training.evaluation.cautions import EXPECTED_FALSE
from training.evaluation.refit import Fitted, fitted


@dataclass(frozen=True)
class Claim:
    """One row fitted on some identities, and what the others showed.

    Attributes:
        claimed: With the intervals of the row.
        fmr, fnmr: Of the other identities at its threshold.
    """

    claimed: Fitted
    fmr: float
    fnmr: float

    @property
    def fmr_holds(self) -> bool:
        low, high = self.claimed.fmr_interval
        return low <= self.fmr <= high

    @property
    def fnmr_holds(self) -> bool:
        low, high = self.claimed.fnmr_interval
        return low <= self.fnmr <= high


@dataclass(frozen=True)
class Coverage:
    """How often the intervals of one rate held, over several splits.

    Attributes:
        fmr: The nominal rate.
        mean_fmr: Of the identities that the threshold was not fitted on.
        fmr_held, fnmr_held: Shares of the splits.
    """

    fmr: float
    splits: int
    mean_fmr: float
    fmr_held: float
    fnmr_held: float


def carried(attempts: Attempts, rates: Sequence[float]) -> list[float]:
    """The rates at which half of the people make ten false matches or more."""
    of_half = float(attempts.trials()) / attempts.repeats / 4
    return [rate for rate in rates if rate * of_half >= EXPECTED_FALSE]


def claims(attempts: Attempts, rates: Sequence[float], seed: int) -> list[Claim]:
    """Thresholds of one random half of the identities, judged by the other half.

    Raises:
        ValueError: If there are too few impostor attempts in the half for a rate.
    """
    present = np.flatnonzero(attempts.present)
    half = np.random.default_rng(seed).permutation(present)[: len(present) // 2]
    ours = np.isin(np.arange(len(attempts.enrolled)), half)
    others = attempts.among(~ours)
    return [
        Claim(row, others.false_rate(row.threshold), others.miss_rate(row.threshold))
        for row in fitted(attempts.among(ours), rates, seed)
    ]


def coverage(attempts: Attempts, rates: Sequence[float], splits: int) -> list[Coverage]:
    """The claims of several random halves, counted by rate."""
    tried = [claims(attempts, rates, seed) for seed in range(splits)]
    return [
        Coverage(
            fmr=rate,
            splits=splits,
            mean_fmr=float(np.mean([one.fmr for one in row])),
            fmr_held=float(np.mean([one.fmr_holds for one in row])),
            fnmr_held=float(np.mean([one.fnmr_holds for one in row])),
        )
        for rate, row in zip(rates, zip(*tried, strict=True), strict=True)
    ]
