"""The operator's choices that the core follows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from model.image import Limits
from model.quality import Gate

Keep = Literal["crop", "original", "none"]
"""What is stored of an enrolled image: the face with a margin, all, nothing."""


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
        serve_images: Whether a stored image may be had over the API.
    """

    limits: Limits = field(default_factory=Limits)
    gate: Gate = "standard"
    keep: Keep = "crop"
    max_references: int = 100
    detection_threshold: float | None = None
    verification_threshold: float | None = None
    serve_images: bool = False
