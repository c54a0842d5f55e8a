"""Has something changed? Two spans of time side by side, and beside what was measured.

    steady    nothing that chance would not explain, or nothing that matters
    look      a change that is both real and of some size
    worry     a large one: find out what happened (docs/drift.md)

Shares (verified, refused by the gate, ...) are compared by the difference of two shares
with its 99 % interval (Newcombe 1998, of two Wilson intervals): several are looked at, so
that one in twenty would be seen too often. Scores are compared by the population
stability index over fixed bins,

    PSI = sum_i (p_i - q_i) * ln(p_i / q_i)

which is 0 for equal shares p and q. Without any change it is about chi-squared of
(bins - 1) degrees of freedom times (1/n + 1/m); what is below the 99th hundredth of that is
chance.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from service.core.meters import SCORE

Mark = Literal["steady", "look", "worry", "too few"]

LEAST: Final = 200
"""Of each span; with fewer nothing is said."""
LOOK_SHARE: Final = 0.02
WORRY_SHARE: Final = 0.05
LOOK_PSI: Final = 0.1
WORRY_PSI: Final = 0.25
_Z95: Final = 1.959964
_Z99: Final = 2.575829
_Z99_ABOVE: Final = 2.326348
"""Of one side."""


@dataclass(frozen=True)
class Shift:
    """A share now, the same before, and what the difference is worth.

    Attributes:
        now, before: Counts: how many, and of how many.
        low, high: 99 % interval of the difference (now - before); 0 where there is none.
    """

    now: tuple[int, int]
    before: tuple[int, int]
    low: float
    high: float
    mark: Mark


def shift_of(now: tuple[int, int], before: tuple[int, int]) -> Shift:
    """Compares two shares, each given as (some, of)."""
    if min(now[1], before[1]) < LEAST:
        return Shift(now, before, 0.0, 0.0, "too few")
    p, q = now[0] / now[1], before[0] / before[1]
    p_low, p_high = wilson(*now, z=_Z99)
    q_low, q_high = wilson(*before, z=_Z99)
    low = p - q - math.hypot(p - p_low, q_high - q)
    high = p - q + math.hypot(p_high - p, q - q_low)
    certain = low > 0 or high < 0
    size = abs(p - q)
    mark: Mark = "steady"
    if certain and size >= WORRY_SHARE:
        mark = "worry"
    elif certain and size >= LOOK_SHARE:
        mark = "look"
    return Shift(now, before, low, high, mark)


def wilson(some: int, of: int, *, z: float = _Z95) -> tuple[float, float]:
    """Interval of a share, 95 % unless `z` says otherwise; (0, 1) of nothing."""
    if of == 0:
        return 0.0, 1.0
    share, z2 = some / of, z**2
    centre = (share + z2 / (2 * of)) / (1 + z2 / of)
    half = z / (1 + z2 / of) * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    return max(0.0, centre - half), min(1.0, centre + half)


@dataclass(frozen=True)
class Stability:
    """The population stability index of two samples.

    Attributes:
        chance: What it stays below 99 times of 100 without any change.
        now, before: Counts by bin.
    """

    psi: float
    chance: float
    now: tuple[int, ...]
    before: tuple[int, ...]
    mark: Mark


def stability_of(
    now: Sequence[float], before: Sequence[float], bounds: Sequence[float] = SCORE
) -> Stability:
    """Compares two samples of scores, in [0, 1]."""
    left, right = _binned(now, bounds), _binned(before, bounds)
    n, m = len(now), len(before)
    if min(n, m) < LEAST:
        return Stability(0.0, 0.0, left, right, "too few")
    used = [(a, b) for a, b in zip(left, right, strict=True) if a or b]
    # Half a score more in each bin, so that an empty one does not count without limit.
    total_n, total_m = n + len(used) / 2, m + len(used) / 2
    pairs = [((a + 0.5) / total_n, (b + 0.5) / total_m) for a, b in used]
    psi = sum((p - q) * math.log(p / q) for p, q in pairs)
    chance = _chi_squared_99(len(used) - 1) * (1 / n + 1 / m)
    mark: Mark = "steady"
    if psi > chance and psi > WORRY_PSI:
        mark = "worry"
    elif psi > chance and psi > LOOK_PSI:
        mark = "look"
    return Stability(psi, chance, left, right, mark)


def _binned(values: Sequence[float], bounds: Sequence[float]) -> tuple[int, ...]:
    counts = [0] * (len(bounds) + 1)
    for value in values:
        counts[bisect_left(bounds, value)] += 1
    return tuple(counts)


def _chi_squared_99(freedom: int) -> float:
    """The 99th hundredth of chi-squared, within a few per cent (Wilson and Hilferty 1931)."""
    if freedom < 1:
        return 0.0
    part = 2 / (9 * freedom)
    return float(freedom * (1 - part + _Z99_ABOVE * math.sqrt(part)) ** 3)


@dataclass(frozen=True)
class Missed:
    """References of verified people that did not match, beside what was measured.

    Of an identity's own references: each that does not match is a false non-match of one
    comparison, as long as the right people are verified.

    Attributes:
        threshold: In force.
        some, of: How many did not match, and of how many.
        expected: The manifest's FNMR there with its interval; None where it has none.
    """

    threshold: float
    some: int
    of: int
    expected: tuple[float, float, float] | None
    mark: Mark


def missed_of(
    threshold: float, some: int, of: int, expected: tuple[float, float, float] | None
) -> Missed:
    """Args: expected: FNMR, and the ends of its interval."""
    mark: Mark = "steady"
    if of < LEAST:
        mark = "too few"
    elif expected is not None and wilson(some, of)[0] > max(expected[2], LOOK_SHARE):
        # Web pictures or an old enrolment do that, too: no reason to worry by itself.
        mark = "look"
    return Missed(threshold, some, of, expected, mark)
