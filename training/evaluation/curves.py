"""The whole range of thresholds: equal error rate, ROC and DET, histograms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.types import AnyArray, Array
from training.evaluation.comparisons import Comparisons

BINS = 50
_POINTS = 300


@dataclass(frozen=True)
class EqualError:
    """Where FMR and FNMR are nearest to each other.

    Attributes:
        rate: Their mean there.
    """

    rate: float
    threshold: float


@dataclass(frozen=True)
class Curve:
    """FMR and FNMR over thresholds, from loose to strict; each of one length."""

    thresholds: tuple[float, ...]
    fmr: tuple[float, ...]
    fnmr: tuple[float, ...]


@dataclass(frozen=True)
class Histogram:
    """Share of the pairs of a kind in each of BINS equal parts of [0, 1]."""

    genuine: tuple[float, ...]
    impostor: tuple[float, ...]


def equal_error(comparisons: Comparisons) -> EqualError:
    """The equal error rate.

    FNMR - FMR rises with the threshold, step by step at the scores themselves, so
    the first score at which it is not negative is found by halving; the threshold
    just before it may be nearer.
    """
    genuine, impostor = np.sort(comparisons.genuine), comparisons.impostor[::-1]
    first = min(
        (found for scores in (genuine, impostor) if (found := _first(scores, genuine, impostor))),
        default=(1.0, 0.0, 0.0),
    )
    before = np.nextafter(np.float32(first[0]), np.float32(-1))
    candidates = [first, (float(before), *_rates(before, genuine, impostor))]
    best = min(candidates, key=lambda at: abs(at[1] - at[2]))
    return EqualError(rate=(best[1] + best[2]) / 2, threshold=best[0])


def curve_of(comparisons: Comparisons) -> Curve:
    """Points of ROC and DET, dense where a rate is small.

    The thresholds are scores that stand at evenly spaced places of the logarithm
    of either error rate.
    """
    genuine, impostor = np.sort(comparisons.genuine), comparisons.impostor
    chosen = [_spaced(genuine), _spaced(impostor), np.array([-1e-6, 1.0])]
    thresholds = np.unique(np.concatenate(chosen)).astype(np.float32)
    ascending = impostor[::-1]
    fmr = 1 - np.searchsorted(ascending, thresholds, side="right") / len(impostor)
    fnmr = np.searchsorted(genuine, thresholds, side="right") / len(genuine)
    return Curve(
        thresholds=tuple(np.clip(thresholds, 0, 1).astype(float).tolist()),
        fmr=tuple(fmr.tolist()),
        fnmr=tuple(fnmr.tolist()),
    )


def histogram_of(comparisons: Comparisons) -> Histogram:
    """Where the scores of each kind lie."""
    parts = [
        np.histogram(scores, bins=BINS, range=(0, 1))[0] / max(1, len(scores))
        for scores in (comparisons.genuine, comparisons.impostor)
    ]
    return Histogram(tuple(parts[0].tolist()), tuple(parts[1].tolist()))


def _first(scores: Array, genuine: Array, impostor: Array) -> tuple[float, float, float] | None:
    """The lowest of the ascending scores at which FNMR >= FMR, with both rates."""
    low, high = 0, len(scores)
    while low < high:
        middle = (low + high) // 2
        fmr, fnmr = _rates(scores[middle], genuine, impostor)
        low, high = (low, middle) if fnmr >= fmr else (middle + 1, high)
    if low == len(scores):
        return None
    return float(scores[low]), *_rates(scores[low], genuine, impostor)


def _rates(threshold: np.float32, genuine: Array, impostor: Array) -> tuple[float, float]:
    """(FMR, FNMR); both arrays ascending."""
    false = len(impostor) - int(np.searchsorted(impostor, threshold, side="right"))
    missed = int(np.searchsorted(genuine, threshold, side="right"))
    return false / len(impostor), missed / len(genuine)


def _spaced(scores: Array) -> AnyArray:
    """Scores whose ranks are evenly spaced on a logarithmic scale."""
    count = len(scores)
    places = np.geomspace(1, count, min(_POINTS, count)).round().astype(int) - 1
    spaced: AnyArray = scores[np.unique(places)]
    return spaced
