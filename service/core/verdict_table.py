"""The false match rate of a whole verdict, and the threshold for a rate that is asked for.

A verdict is made by a rule (model.fusion) on k references. The manifest's verdict
table has columns for a few k; for any k these are in force, the first that has a
row so strict:

    k in the table    its column
    k between two     the stricter of the two neighbours
    k in parts        split as evenly as can be into parts that the table covers:
                      the fewest first, at the end parts of one reference

Whoever is verified on all is verified on at least one part by itself: a share, a
mean or a maximum above t has a part in which it is above t. So

    FMR(k) <= sum of the parts' FMR <= parts * FMR(part)

which is proven for share, max and mean, and nearly so for centroid. By the same
reason single pairs bound a verdict, with a table or without:

    FMR(k) <= k * FMR(1)                max, mean
    FMR(k) <= k / needed * FMR(1)       share, by Markov's inequality on the matches
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from typing import Final, TypeVar

from model.contract import Calibration, Fusion, OperatingPoint, VerdictPoint
from service.core.decide import needed

_Row = OperatingPoint | VerdictPoint
_Made = TypeVar("_Made")
_Maker = Callable[[Calibration, "Verdict"], _Made]

_MOST_KEPT: Final = 1000
"""Callers choose verification thresholds, so there is no end of verdicts."""

_SLACK = 1 + 1e-9
"""A rate that was divided is still the rate it is nearest to."""


@dataclass(frozen=True)
class Verdict:
    """How a verdict is reached.

    Attributes:
        references: Of the identity, k >= 1.
        verification_threshold: In force; decides for `share` alone.
    """

    fusion: Fusion
    references: int
    verification_threshold: float


@dataclass(frozen=True)
class Bound:
    """FMR of a verdict <= `times` * the worst of the columns'.

    Attributes:
        columns: Rows with a rate and a threshold, of each k that counts.
        times: Such as the number of parts.
    """

    columns: tuple[Sequence[_Row], ...]
    times: float = 1

    def threshold(self, fmr: float) -> float | None:
        """The loosest threshold whose rate is at most `fmr`; None if there is none."""
        within = fmr / self.times * _SLACK
        return self._at(within) if within >= self._reach else None

    def rate(self, threshold: float) -> float | None:
        """The strictest rate that `threshold` reaches; None if it says nothing."""
        found = [
            [row.fmr for row in column if row.threshold <= threshold] for column in self.columns
        ]
        if not all(found):
            return None
        rate = self.times * max(min(rates) for rates in found)
        return rate if rate < 1 else None

    @property
    def strictest(self) -> float:
        """The lowest rate that has a threshold; above 1 if none has."""
        return self.times * self._reach

    @property
    def _reach(self) -> float:
        """The lowest rate that every column has."""
        return max(min(row.fmr for row in column) for column in self.columns)

    def _at(self, fmr: float) -> float:
        """The highest threshold among the columns' loosest rows within `fmr`."""
        within = [[row for row in column if row.fmr <= fmr] for column in self.columns]
        return max(max(rows, key=lambda row: row.fmr).threshold for rows in within)


@dataclass(frozen=True)
class Bounds:
    """Bounds of one verdict, each by itself good; at least one, the best to ask first."""

    all: tuple[Bound, ...]

    def threshold(self, fmr: float) -> float | None:
        """The first bound's that has one for a rate of at most `fmr`; None if none has."""
        found = (bound.threshold(fmr) for bound in self.all)
        return next((threshold for threshold in found if threshold is not None), None)

    def rate(self, threshold: float) -> float | None:
        """The strictest rate that `threshold` reaches; None if no bound says anything."""
        found = (bound.rate(threshold) for bound in self.all)
        return min((rate for rate in found if rate is not None), default=None)

    @property
    def strictest(self) -> float:
        """The lowest rate that has a threshold; above 1 if none has."""
        return min(bound.strictest for bound in self.all)


def _kept(make: _Maker[_Made]) -> _Maker[_Made]:
    """Makes it once for each verdict: it takes longer than all else that decides.

    A calibration is known by which object it is; to compare the tables takes as long.
    """
    made: dict[tuple[int, Verdict], tuple[Calibration, _Made]] = {}

    @wraps(make)
    def kept(calibration: Calibration, verdict: Verdict) -> _Made:
        found = made.get((id(calibration), verdict))
        if found is None:
            if len(made) >= _MOST_KEPT:
                made.clear()
            # With the calibration, so that no other can have its id as long as this is kept.
            found = calibration, make(calibration, verdict)
            made[id(calibration), verdict] = found
        return found[1]

    return kept


@_kept
def asked(calibration: Calibration, verdict: Verdict) -> Bounds:
    """Where a threshold for a false match rate comes from.

    Where the table has no rows for the rule, the table of single pairs is in force:
    as it is for `share`, whose rate is then that of one comparison, and for `mean`
    and `centroid`, of which it is an estimate; at fmr / k for `max`. For `share` only
    rows of the very verification threshold count.
    """
    rows = [
        row
        for row in _rows(calibration, verdict.fusion)
        if row.verification_threshold in (None, verdict.verification_threshold)
    ]
    if rows:
        return _measured(calibration, verdict, rows)
    times = verdict.references if verdict.fusion == "max" else 1
    return Bounds((Bound((calibration.points,), times),))


def verdict_fmr(calibration: Calibration, verdict: Verdict, threshold: float) -> float | None:
    """An upper bound of the verdict's false match rate at a threshold, as measured.

    None where nothing is known. A verification threshold above a row's verifies no
    more than the row's does, so that row's rate holds.
    """
    bounds = _reached(calibration, verdict)
    rate = None if bounds is None else bounds.rate(threshold)
    # Without digits that only binary rounding put there: 3e-05, not 3.0000000000000004e-05.
    return None if rate is None else float(f"{rate:.9g}")


@_kept
def _reached(calibration: Calibration, verdict: Verdict) -> Bounds | None:
    """What bounds the rate of a verdict at any threshold; None where nothing does."""
    rows = _rows(calibration, verdict.fusion)
    like = verdict
    if verdict.fusion == "share":
        given = [row.verification_threshold or 0.0 for row in rows]
        nearest = max((v for v in given if v <= verdict.verification_threshold), default=1.0)
        rows = [row for row in rows if row.verification_threshold == nearest]
        like = replace(verdict, verification_threshold=nearest)
    if rows:
        return _measured(calibration, like, rows)
    if verdict.fusion == "centroid" and verdict.references > 1:
        return None
    return Bounds((Bound((calibration.points,), _singles(verdict)),))


def _rows(calibration: Calibration, fusion: Fusion) -> list[VerdictPoint]:
    return [row for row in calibration.verdicts if row.fusion == fusion]


def _singles(verdict: Verdict) -> float:
    """How many times more often than a single pair a verdict is wrong, at most."""
    if verdict.fusion == "share":
        return verdict.references / needed(verdict.references, verdict.verification_threshold)
    return verdict.references


def _measured(calibration: Calibration, verdict: Verdict, rows: list[VerdictPoint]) -> Bounds:
    """The columns in force for k references, by the fewest parts first."""
    # With one reference every rule is the score of a single pair.
    columns: dict[int, list[_Row]] = {1: []}
    for row in rows:
        columns.setdefault(row.references, []).append(row)
    columns[1] = columns[1] or list(calibration.points)
    found: dict[int, Bound] = {}
    for most in sorted(columns, reverse=True):
        parts = -(-verdict.references // most)
        while not (used := _covering(verdict, parts, columns)):
            parts += 1
        times = _singles(verdict) if used == {1} else parts
        found[parts] = Bound(tuple(columns[k] for k in sorted(used)), times)
    return Bounds(tuple(bound for _, bound in sorted(found.items())))


def _covering(verdict: Verdict, parts: int, columns: Collection[int]) -> set[int]:
    """The tabulated k that bound so many parts; none if some part is not covered.

    Parts of one reference always are.
    """
    sizes = {verdict.references // parts, -(-verdict.references // parts)}
    near = [_neighbours(verdict, size, columns) for size in sizes]
    return {k for ks in near for k in ks} if all(near) else set()


def _neighbours(verdict: Verdict, size: int, columns: Collection[int]) -> tuple[int, ...]:
    """The tabulated k that bound a part of this size; none if the table does not."""
    if size in columns:
        return (size,)
    if size > max(columns):
        return ()
    low, high = max(k for k in columns if k < size), min(k for k in columns if k > size)
    if _strictness(verdict, size) < min(_strictness(verdict, k) for k in (low, high)):
        return ()
    return low, high


def _strictness(verdict: Verdict, references: int) -> float:
    """Where among the scores the one lies that decides, as a quantile from the top.

    For `share` it is the m-th best of k, m being how many must match, and lies at
    m / (k + 1) on average: 2 of 3 is looser than 2 of 2 and than 3 of 4, so between
    those it must not be put. The other rules ask the same of any k.
    """
    if verdict.fusion != "share":
        return 0.0
    return needed(references, verdict.verification_threshold) / (references + 1)
