"""What a fitted threshold does to people whom it was not fitted on.

A threshold is fitted so that a nominal share of these people's impostor attempts
passes. On others it lets through another share, for two reasons: the threshold
would have been another on other people, and the others' own rate is a sample too.
The interval here holds both. It is the middle 95 % of

    rate of resample b' at the threshold fitted on resample b

over independent bootstrap resamples b, b' of the identities: what as many other
people of the same kind would show. (Of the FNMR, which is claimed as measured, the
difference of b' and b is added to the claim, on the scale of log-odds.) It is wider
than the interval of a threshold that was chosen beforehand
(`training.evaluation.intervals`), and never narrower than if every attempt were
independent of the others.

Source:
    Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), on prediction
    intervals; Bolle, Ratha and Pankanti (2004), on resampling people, not pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from model.types import AnyArray, Array
from training.evaluation.attempts import Attempts
from training.evaluation.intervals import RESAMPLES, Interval, draws_of, quantiles, union

_PER_DECADE = 10
_SHIFTS = 10
"""Each resample is judged by the thresholds of so many others."""
_SPARSE = 64
_BLOCK = 4096
_SIMULATED = 20_000


@dataclass(frozen=True)
class Fitted:
    """A threshold fitted to a nominal FMR, and what it does.

    Attributes:
        fmr: The nominal rate.
        fmr_measured, fnmr: Of the people it was fitted on.
        fmr_interval, fnmr_interval: 95 %, of as many other people.
    """

    fmr: float
    threshold: float
    fmr_measured: float
    fmr_interval: Interval
    fnmr: float
    fnmr_interval: Interval


def fitted(attempts: Attempts, rates: Sequence[float], seed: int = 0) -> list[Fitted]:
    """The lowest threshold that keeps each rate, with intervals that hold for other people.

    Args:
        rates: Each must allow at least one false match, and not all.

    Raises:
        ValueError: If there are too few impostor attempts for a rate.
    """
    total = float(attempts.trials())
    ranks = []
    for rate in rates:
        rank = int(rate * total * (1 + 1e-9))
        if not 1 <= rank < len(attempts.impostor):
            raise ValueError(f"{total:.0f} impostor attempts are too few for an FMR of {rate:g}")
        ranks.append(rank)
    if not ranks:
        return []
    curves = _Curves(attempts, ranks, seed)
    found = []
    for rate, rank in zip(rates, ranks, strict=True):
        threshold = float(attempts.impostor[rank])
        fmr, fnmr = attempts.false_rate(threshold), attempts.miss_rate(threshold)
        resampled = curves.predicted(rank / total, fnmr)
        simple = independent(
            attempts.impostor,
            attempts.genuine,
            round(total),
            rank,
            repeats=attempts.repeats,
            seed=seed,
        )
        found.append(
            Fitted(
                fmr=rate,
                threshold=threshold,
                fmr_measured=fmr,
                fmr_interval=union(union(resampled[0], simple[0]), (fmr, fmr)),
                fnmr=fnmr,
                fnmr_interval=union(union(resampled[1], simple[1]), (fnmr, fnmr)),
            )
        )
    return found


def independent(
    impostor: Array, genuine: Array, total: int, rank: int, *, repeats: int = 1, seed: int = 0
) -> tuple[Interval, Interval]:
    """The intervals of FMR and FNMR, were every attempt independent of the others.

    The true rate above the score of rank m + 1 among N independent impostor scores
    has the distribution Beta(m + 1, N - m), whatever the scores' own distribution;
    as many new attempts show a binomial share of it.

    Args:
        impostor: The highest scores, descending. Shape (F,).
        genuine: Shape (G,).
        total: Impostor attempts, F or more.
        rank: m, false matches at the threshold.
        repeats: Attempts that count as one.

    Source:
        Wilks, "Determination of Sample Sizes for Setting Tolerance Limits" (1941).
    """
    generator = np.random.default_rng(seed)
    attempts, false = max(2, total // repeats), rank // repeats
    true = generator.beta(false + 1, max(1, attempts - false), _SIMULATED)
    shown = generator.binomial(attempts, true) / attempts
    thresholds = impostor[np.minimum((true * total).astype(np.int64), len(impostor) - 1)]
    trials = max(1, len(genuine) // repeats)
    missed = np.searchsorted(np.sort(genuine), thresholds, side="right") / len(genuine) * trials
    # Jeffreys' prior: with no miss seen, none is not certain.
    share = generator.beta(missed + 0.5, trials - missed + 0.5)
    return quantiles(shown), quantiles(generator.binomial(trials, share) / trials)


class _Curves:
    """FMR and FNMR of every resample along one grid of thresholds."""

    def __init__(self, attempts: Attempts, ranks: Sequence[int], seed: int) -> None:
        draws = draws_of(attempts.present, seed)
        self._genuine = max(1, len(attempts.genuine))
        # Ranks of impostor scores; the highest threshold is the highest score.
        edges = _grid(len(attempts.impostor), max(ranks))
        with np.errstate(invalid="ignore", divide="ignore"):
            self._fmr = _cumulated(attempts, draws, edges) / attempts.trials(draws)[:, None]
            self._fnmr = _missed(attempts, draws, attempts.impostor[edges])

    def predicted(self, rate: float, fnmr: float) -> tuple[Interval, Interval]:
        """Intervals of FMR and FNMR of other people at the threshold fitted to `rate`.

        Args:
            fnmr: That is claimed of it.
        """
        steps = np.arange(self._fmr.shape[1], dtype=np.float64)
        # Where along the grid each resample fits its own threshold.
        places = np.array(
            [
                np.interp(rate, curve, steps) if np.isfinite(curve).all() else np.nan
                for curve in self._fmr
            ]
        )
        # The nominal rate is no estimate: at its own place each resample has just that one.
        # The FNMR is one, and its error counts beside that of the other people's.
        shown, claimed = _elsewhere(self._fnmr, places)
        shifts = self._logit(shown) - self._logit(claimed)
        logits = self._logit(np.float64(fnmr)) + shifts
        return quantiles(_elsewhere(self._fmr, places)[0]), quantiles(self._rate(logits))

    def _logit(self, rate: AnyArray | np.float64) -> AnyArray:
        """On this scale errors of a rate are alike wherever it lies; half a miss more or less."""
        inside = (rate * self._genuine + 0.5) / (self._genuine + 1)
        found: AnyArray = np.log(inside / (1 - inside))
        return found

    def _rate(self, logits: AnyArray) -> AnyArray:
        """Back from `_logit`."""
        inside = 1 / (1 + np.exp(-logits))
        found: AnyArray = np.clip((inside * (self._genuine + 1) - 0.5) / self._genuine, 0, 1)
        return found


def _grid(count: int, loosest: int) -> AnyArray:
    """Ranks from 0, some in each decade, up to all that are kept."""
    top = max(count - 1, loosest)
    steps = int(_PER_DECADE * np.log10(top)) + 2
    ranks = np.unique(np.geomspace(1, top, steps).astype(np.int64))
    return np.concatenate([[0], ranks])


def _cumulated(attempts: Attempts, draws: Array, edges: AnyArray) -> AnyArray:
    """Weighted impostor attempts above each edge, of each resample. Shape (B, edges)."""
    by_person = np.ascontiguousarray(draws.T)
    counts = np.zeros((len(draws), len(edges)))
    for number, (low, high) in enumerate(pairwise(edges)):
        counts[:, number + 1] = _weighted(attempts.people[low:high], by_person)
    total: AnyArray = counts.cumsum(axis=1)
    return total


def _weighted(people: AnyArray, by_person: Array) -> AnyArray:
    """Sum over pairs (i, j) of draws of i times draws of j.

    Args:
        people: Shape (P, 2).
        by_person: How often each identity was drawn. Shape (identities, B).

    Returns:
        Shape (B,).
    """
    total = np.zeros(by_person.shape[1])
    involved, numbers = np.unique(people, return_inverse=True)
    numbers = numbers.reshape(-1, 2)
    ours = by_person[involved]
    if len(people) * _SPARSE < len(involved) ** 2:
        for at in range(0, len(people), _BLOCK):
            first, second = numbers[at : at + _BLOCK].T
            total += np.einsum("pb,pb->b", ours[first], ours[second], dtype=np.float64)
        return total
    order = np.argsort(numbers[:, 0], kind="stable")
    first, second = numbers[order].T
    for at in range(0, len(involved), _BLOCK):
        width = min(_BLOCK, len(involved) - at)
        low, high = np.searchsorted(first, [at, at + width])
        flat = (first[low:high] - at) * len(involved) + second[low:high]
        counts = np.bincount(flat, minlength=width * len(involved)).astype(np.float32)
        reached = counts.reshape(width, len(involved)) @ ours
        total += np.einsum("wb,wb->b", ours[at : at + width], reached, dtype=np.float64)
    return total


def _missed(attempts: Attempts, draws: Array, thresholds: AnyArray) -> AnyArray:
    """FNMR of each resample at each threshold, which descend. Shape (B, thresholds)."""
    identities = len(attempts.enrolled)
    trials = np.bincount(attempts.who, minlength=identities).astype(np.float32)
    # Step of the grid from which on each genuine attempt matches: score > threshold.
    step = np.searchsorted(-thresholds, -attempts.genuine, side="right")
    cells = np.bincount(
        attempts.who * (len(thresholds) + 1) + step,
        minlength=identities * (len(thresholds) + 1),
    ).reshape(identities, -1)
    matched = cells.cumsum(axis=1)[:, : len(thresholds)].astype(np.float32)
    share: AnyArray = 1 - (draws @ matched) / (draws @ trials)[:, None]
    return share


def _elsewhere(curves: AnyArray, places: AnyArray) -> tuple[AnyArray, AnyArray]:
    """Curves at the places that other resamples found, and those others' own values there.

    Returns:
        Shapes (B * shifts,), twice.
    """
    steps = np.arange(curves.shape[1], dtype=np.float64)
    own = np.array(
        [np.interp(place, steps, curve) for place, curve in zip(places, curves, strict=True)]
    )
    shifts = min(_SHIFTS, RESAMPLES - 1)
    found = np.empty((len(curves), shifts))
    others = (np.arange(len(curves))[:, None] + 1 + np.arange(shifts)) % len(curves)
    for number, curve in enumerate(curves):
        found[number] = np.interp(places[others[number]], steps, curve)
    return found.reshape(-1), own[others].reshape(-1)
