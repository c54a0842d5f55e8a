"""What the core answers, as frozen values; `service.api` turns them into JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from model.contract import Fusion, Manifest
from model.faces import Face
from model.quality import Quality
from service.core.presentation import Presentation

FaceChoice = Literal["error", "largest", "center"]
"""Which face to take when an image shows several."""

ThresholdSource = Literal["request", "fmr", "fpir", "settings", "default"]
"""Where a threshold in force came from."""

ConflictKind = Literal["unlike_own_references", "like_another_identity"]
"""What speaks against an image being of the identity it is enrolled as."""


@dataclass(frozen=True)
class FoundFace:
    """A face with its quality and the size of the image, in pixels.

    Attributes:
        presentation: Whether it looks like an attack; None where that is not judged.
    """

    face: Face
    quality: Quality
    image_width: int
    image_height: int
    presentation: Presentation | None = None


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
class Conflict:
    """An image that does not seem to be of the identity it is enrolled as.

    Attributes:
        reference_id: None if it was refused.
        own_best, own_median: Scores with the identity's stored references or, where
            there is none, with the other images of the request; None without those.
        other_score: The best score with a reference of another identity; None if
            there is none or none was searched.
        other_identity: Whose that is; None as well where names are kept back.
    """

    index: int
    filename: str | None
    reference_id: str | None
    kind: ConflictKind
    own_best: float | None
    own_median: float | None
    other_score: float | None
    other_identity: str | None


@dataclass(frozen=True)
class Enrolment:
    """What became of the images of an enrolment.

    Attributes:
        manifest: Of the model that embedded them.
        others_searched: Whether other identities were compared.
    """

    identity: str
    references: int
    accepted: tuple[AcceptedImage, ...]
    rejected: tuple[RejectedImage, ...]
    manifest: Manifest
    conflicts: tuple[Conflict, ...] = ()
    others_searched: bool = False


@dataclass(frozen=True)
class Threshold:
    value: float
    source: ThresholdSource


class ScoredReference(NamedTuple):
    reference_id: str
    score: float
    matched: bool


@dataclass(frozen=True)
class Verification:
    """Verdict on a probe.

    Attributes:
        fusion: The rule that decided.
        fused_score: What it made of the scores, in [0, 1]; None by `share`.
        share: matched / references.
        fmr: Measured false match rate of one comparison that the detection threshold
            stands for, as an upper bound; None when it is looser than the whole table.
        verdict_fmr: The same of the whole verdict; None where it is not known.
        timings_ms: Milliseconds by stage.
        manifest: Of the model that decided.
        live: Whether the probe is the one who was shown to be live; None where nobody was.
    """

    identity: str
    verified: bool
    matched: int
    references: tuple[ScoredReference, ...]
    fusion: Fusion
    fused_score: float | None
    share: float
    detection_threshold: Threshold
    verification_threshold: Threshold
    fmr: float | None
    verdict_fmr: float | None
    found: FoundFace
    timings_ms: Mapping[str, float]
    manifest: Manifest
    live: bool | None = None


@dataclass(frozen=True)
class Comparison:
    score: float
    threshold: Threshold
    fmr: float | None
    verified: bool
    found_a: FoundFace
    found_b: FoundFace
    timings_ms: Mapping[str, float]
    manifest: Manifest


@dataclass(frozen=True)
class Detection:
    faces: tuple[FoundFace, ...]
    image_width: int
    image_height: int
    timings_ms: Mapping[str, float]
