"""A verdict on a row of frames: evidence gathers, and the test ends when there is enough.

Wald's sequential probability ratio test (1945) on the verdicts v[i] of single frames:

    evidence[n] = sum over i of weight * log(p(v[i] | same person) / p(v[i] | another))
    verified      once evidence >= log((1 - beta) / alpha)
    not verified  once evidence <= log(beta / (1 - alpha))

with p(match | same) = 1 - FNMR and p(match | another) = FMR of one frame's verdict. The
test's bounds hold for frames that are independent, and frames of one second are not:
whoever resembles somebody resembles him in all of them. So a frame counts for `WEIGHT` of
an independent one only. What is claimed is what was measured with that weight
(docs/stream.md), not alpha and beta: those are where the bounds come from.

No row of frames is verified with fewer matching frames than `AT_LEAST`, nor one in which
half of the frames do not match. None is given up before `PATIENCE_S`: people look away,
turn, and come nearer first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

Verdict = Literal["undecided", "verified", "not_verified"]

ALPHA: Final = 1e-4
BETA: Final = 1e-2
WEIGHT: Final = 0.25
AT_LEAST: Final = 3
PATIENCE_S: Final = 2.0

_UPPER: Final = math.log((1 - BETA) / ALPHA)
_LOWER: Final = math.log(BETA / (1 - ALPHA))
# A table of few pairs says 0; nothing is that rare.
_LEAST_RATE: Final = 1e-6
_MOST_RATE: Final = 0.4


@dataclass
class Evidence:
    """What the frames so far say of one identity.

    Attributes:
        value: Below 0 it speaks against.
        matching, frames: Frames with a face that was compared.
        weight: For how many independent frames one counts.
    """

    value: float = 0.0
    matching: int = 0
    frames: int = 0
    weight: float = WEIGHT

    def add(self, verified: bool, *, fmr: float | None, fnmr: float | None) -> None:
        """Takes one frame's verdict in.

        Args:
            fmr, fnmr: Rates of a verdict such as this, or more; None where they are not
                known, and such a verdict says next to nothing.
        """
        false_match, false_non_match = _rate(fmr), _rate(fnmr)
        if verified:
            ratio = math.log((1 - false_non_match) / false_match)
        else:
            ratio = math.log(false_non_match / (1 - false_match))
        self.frames += 1
        self.matching += verified
        # Beyond its bounds it would take as long to change its mind as it took to get there.
        self.value = min(max(self.value + self.weight * ratio, _LOWER), _UPPER)

    def verdict(self, since_s: float) -> Verdict:
        """The verdict so far.

        Args:
            since_s: Since the first frame that was compared.
        """
        if self.value <= _LOWER and since_s >= PATIENCE_S:
            return "not_verified"
        enough = self.matching >= AT_LEAST and 2 * self.matching > self.frames
        return "verified" if self.value >= _UPPER and enough else "undecided"

    @property
    def share(self) -> float:
        """How far it is on its way: -1 not verified, 0 nothing known, 1 verified."""
        return self.value / (_UPPER if self.value > 0 else -_LOWER)


def _rate(rate: float | None) -> float:
    return _MOST_RATE if rate is None else min(max(rate, _LEAST_RATE), _MOST_RATE)
