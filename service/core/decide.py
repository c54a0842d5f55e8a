"""The paper's rule of verification.

    detection    = number of scores > detection_threshold
    verification = detection / number of references
    verified     = verification > verification_threshold

Both comparisons are strict.
"""

from __future__ import annotations

from dataclasses import dataclass

from model.types import Array


@dataclass(frozen=True)
class Decision:
    """Which references matched, their share, and the verdict."""

    matches: tuple[bool, ...]
    share: float
    verified: bool

    @property
    def matched(self) -> int:
        return sum(self.matches)


def decide(scores: Array, detection_threshold: float, verification_threshold: float) -> Decision:
    """Decides on a probe's scores.

    Args:
        scores: Against each reference, in [0, 1]. Shape (M,), M >= 1.
        detection_threshold, verification_threshold: In [0, 1].

    Raises:
        ValueError: If there is no score.
    """
    if not len(scores):
        raise ValueError("a decision needs at least one reference")
    # In double precision: a float32 score may round onto the threshold it is above.
    matches = tuple(float(score) > detection_threshold for score in scores)
    share = sum(matches) / len(matches)
    return Decision(matches, share, share > verification_threshold)
