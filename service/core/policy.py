"""The operator's choices that the core follows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from model.contract import Fusion
from model.image import Limits
from model.quality import Gate

Keep = Literal["crop", "original", "none"]
"""What is stored of an enrolled image: the face with a margin, all, nothing."""

ConflictMode = Literal["off", "report", "strict"]
"""Conflicts at enrolment are not looked for, reported, refused; the strictest last."""


@dataclass(frozen=True)
class Policy:
    """Choices with their defaults.

    Attributes:
        limits: Of an image, before it is decoded.
        gate: Quality gate at enrolment.
        keep: What is stored of an enrolled image.
        max_references: Of one identity.
        detection_threshold, verification_threshold: Instead of the model's; None
            for the model's.
        fusion: The rule by which several references make one verdict.
        serve_images: Whether a stored image may be had over the API.
        conflicts: What becomes of an enrolled image that does not seem to be of
            its identity.
        conflict_names: Whether a conflict names the other identity.
        conflict_search: With more references enrolled than this, other identities
            are not searched.
        max_fpir: The false positive identification rate that an identification keeps to.
        retention_days, retention_unused_days: After which an identity is erased; 0
            for never.
        throttle_after, lock_after: Verifications of an identity in vain after which
            it is slowed down, and locked; 0 for never.
    """

    limits: Limits = field(default_factory=Limits)
    gate: Gate = "standard"
    keep: Keep = "crop"
    max_references: int = 100
    detection_threshold: float | None = None
    verification_threshold: float | None = None
    fusion: Fusion = "share"
    serve_images: bool = False
    conflicts: ConflictMode = "report"
    conflict_names: bool = True
    conflict_search: int = 50_000
    max_fpir: float = 0.01
    throttle_after: int = 5
    lock_after: int = 50
    retention_days: int = 0
    retention_unused_days: int = 0
