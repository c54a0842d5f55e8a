"""What the core answers, as frozen values; `service.api` turns them into JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from model.faces import Face
from model.quality import Quality

FaceChoice = Literal["error", "largest", "center"]
"""Which face to take when an image shows several."""

ThresholdSource = Literal["request", "fmr", "settings", "default"]
"""Where a threshold in force came from."""


@dataclass(frozen=True)
class FoundFace:
    """A face with its quality and the size of the image, in pixels."""

    face: Face
    quality: Quality
    image_width: int
    image_height: int


@dataclass(frozen=True)
class AcceptedImage:
    index: int
    filename: str | None
    reference_id: str
    duplicate: bool
    found: FoundFace


@dataclass(frozen=True)
class RejectedImage:
    """Why an image was not enrolled.

    Attributes:
        code: As in a problem answer, such as "no_face".
        reasons: Quality reasons; empty for other codes.
        found: The face, where one was found.
    """

    index: int
    filename: str | None
    code: str
    detail: str
    reasons: tuple[str, ...] = ()
    found: FoundFace | None = None


@dataclass(frozen=True)
class Enrolment:
    identity: str
    references: int
    accepted: tuple[AcceptedImage, ...]
    rejected: tuple[RejectedImage, ...]


@dataclass(frozen=True)
class Threshold:
    value: float
    source: ThresholdSource


@dataclass(frozen=True)
class ScoredReference:
    reference_id: str
    score: float
    matched: bool


@dataclass(frozen=True)
class Verification:
    """Verdict on a probe.

    Attributes:
        share: matched / references.
        fmr: Measured false match rate that the detection threshold stands for,
            as an upper bound; None when it is looser than the whole table.
        timings_ms: Milliseconds by stage.
    """

    identity: str
    verified: bool
    matched: int
    references: tuple[ScoredReference, ...]
    share: float
    detection_threshold: Threshold
    verification_threshold: Threshold
    fmr: float | None
    found: FoundFace
    timings_ms: Mapping[str, float]


@dataclass(frozen=True)
class Comparison:
    score: float
    threshold: Threshold
    fmr: float | None
    verified: bool
    found_a: FoundFace
    found_b: FoundFace
    timings_ms: Mapping[str, float]


@dataclass(frozen=True)
class Detection:
    faces: tuple[FoundFace, ...]
    image_width: int
    image_height: int
    timings_ms: Mapping[str, float]
