"""The verdict: the paper's rule, and the rules that make one score of several.

    detection    = number of scores > detection_threshold
    verification = detection / number of references
    verified     = verification > verification_threshold      by share, the paper's rule
    verified     = fused score > detection_threshold          by max, mean and centroid

All comparisons are strict.
"""

from __future__ import annotations

from dataclasses import dataclass

from model.types import Array


@dataclass(frozen=True)
class Decision:
    """Which references matched, their share, and the verdict.

    Attributes:
        fused_score: In [0, 1]; None by the rule `share`.
    """

    matches: tuple[bool, ...]
    share: float
    verified: bool
    fused_score: float | None = None

    @property
    def matched(self) -> int:
        return sum(self.matches)


def decide(
    scores: Array,
    detection_threshold: float,
    verification_threshold: float,
    *,
    fused_score: float | None = None,
) -> Decision:
    """Decides on a probe's scores.

    Args:
        scores: Against each reference, in [0, 1]. Shape (M,), M >= 1.
        detection_threshold, verification_threshold: In [0, 1].
        fused_score: Decides instead of the share, if there is one.

    Raises:
        ValueError: If there is no score.
    """
    if not len(scores):
        raise ValueError("a decision needs at least one reference")
    # In double precision: a float32 score may round onto the threshold it is above.
    matches = tuple(score > detection_threshold for score in scores.tolist())
    share = sum(matches) / len(matches)
    if fused_score is None:
        return Decision(matches, share, share > verification_threshold)
    return Decision(matches, share, fused_score > detection_threshold, fused_score)


def needed(references: int, verification_threshold: float) -> int:
    """How many of some references must match; one more than there are if none can do.

    Counted as `decide` counts, since a share is rounded.
    """
    matched = max(0, int(verification_threshold * references) - 1)
    while matched <= references and matched / references <= verification_threshold:
        matched += 1
    return matched
