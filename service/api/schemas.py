"""The JSON of every answer; one place to read the contract of the API."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from model.contract import Fusion
from service.api.conflict_schemas import AgreementOut, ConflictOut
from service.api.liveness_schemas import LivenessOut
from service.api.schema import Schema, Share
from service.api.schemas_presentation import PresentationOut


class Box(Schema):
    """Left, top, width and height; may reach outside the image."""

    x: float
    y: float
    width: float
    height: float


class Point(Schema):
    x: float
    y: float


class Landmarks(Schema):
    """Five points in pixels; right and left are the person's own."""

    right_eye: Point
    left_eye: Point
    nose: Point
    right_mouth: Point
    left_mouth: Point


class QualityOut(Schema):
    """How good a reference this face would make, and the numbers behind it."""

    score: Share = Field(description="In [0, 1]; the weakest of the measures below.")
    reasons: list[str] = Field(description="What the quality gate objects to; empty if nothing.")
    face_size_px: float = Field(description="Shorter side of the box.")
    confidence: float = Field(description="The detector's confidence.")
    sharpness: float = Field(description="Variance of the chip's Laplacian.")
    brightness: float = Field(description="Mean luminance of the chip, 0..255.")
    contrast: float = Field(description="Standard deviation of the chip's luminance.")
    yaw: float = Field(description="-1 (their right) .. 1 (their left); 0 is frontal.")
    pitch: float = Field(description="-1 (down) .. 1 (up); 0 is frontal.")
    roll_degrees: float
    visible: Share = Field(description="Share of the face's place inside the image.")


class FaceOut(Schema):
    box: Box = Field(description="In pixels of the upright image.")
    box_normalized: Box = Field(description="As shares of the image's width and height.")
    landmarks: Landmarks
    confidence: Share
    quality: QualityOut
    presentation: PresentationOut | None = Field(description="null where it is not installed.")


class ModelRef(Schema):
    name: str
    version: str
    fingerprint: str


class AcceptedOut(Schema):
    index: int = Field(description="Position of the image in the request, from 0.")
    filename: str | None
    reference_id: str
    duplicate: bool = Field(description="This very image was enrolled before; not stored twice.")
    face: FaceOut
    quality: Share


class RejectedOut(Schema):
    index: int
    filename: str | None
    code: str
    detail: str
    reasons: list[str]
    face: FaceOut | None


class EnrolOut(Schema):
    identity: str
    references: int = Field(description="How many the identity has now.")
    accepted: list[AcceptedOut]
    rejected: list[RejectedOut]
    conflicts: list[ConflictOut] = Field(
        description="Images that seem to be of somebody else, stored or, in strict mode, refused."
    )
    others_searched: bool = Field(
        description="Whether other identities were compared; false when conflicts are off, when "
        "no image was new, and when more are enrolled than SEMBLANCE_CONFLICT_SEARCH."
    )
    model: ModelRef


class ReferenceScore(Schema):
    reference_id: str
    score: Share
    matched: bool


class ThresholdOut(Schema):
    value: float
    source: Literal["request", "fmr", "settings", "default"] = Field(
        description="request: the caller's number; fmr: looked up for the caller's rate; "
        "settings: the operator's; default: the model's."
    )


class VerifyOut(Schema):
    identity: str
    verified: bool = Field(
        description="share > verification_threshold by the rule `share`, "
        "fused_score > detection_threshold by the others."
    )
    matched: int = Field(description="References whose score > detection_threshold.")
    references: int
    fusion: Fusion = Field(description="The rule that decided.")
    fused_score: Share | None = Field(
        description="One score of all; null by the rule `share`, and where the key may not see "
        "scores."
    )
    share: Share = Field(description="matched / references.")
    detection_threshold: ThresholdOut
    verification_threshold: ThresholdOut
    fmr: float | None = Field(
        description="Measured false match rate of one comparison at this detection threshold, "
        "as an upper bound; null when it is looser than the whole table."
    )
    verdict_fmr: float | None = Field(
        description="False match rate of this whole verdict (rule, thresholds, number of "
        "references), as an upper bound; null where it was not measured."
    )
    scores: list[ReferenceScore] = Field(
        description="Of each reference; empty where the key may not see scores."
    )
    face: FaceOut
    liveness: LivenessOut | None = Field(description="null without a liveness_token.")
    model: ModelRef
    timings_ms: dict[str, float] = Field(
        description="decode, detect, align, embed, references, score, total."
    )
    signed: str | None = Field(description="For `audience`, as a JWT; null without one.")


class CompareOut(Schema):
    score: Share | None = Field(description="null where the key may not see scores.")
    threshold: ThresholdOut
    fmr: float | None
    verified: bool = Field(description="score > threshold.")
    face_a: FaceOut
    face_b: FaceOut
    model: ModelRef
    timings_ms: dict[str, float]


class DetectOut(Schema):
    faces: list[FaceOut] = Field(description="The largest first; empty when there is none.")
    width: int = Field(description="Of the upright image, in pixels.")
    height: int
    timings_ms: dict[str, float]


class IdentityOut(Schema):
    identity: str
    references: int
    created_at: datetime


class IdentityPage(Schema):
    identities: list[IdentityOut]
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page.")


class ReferenceOut(Schema):
    reference_id: str
    created_at: datetime
    quality: float
    filename: str | None
    has_image: bool
    fingerprint: str
    agreement: AgreementOut | None = Field(
        description="With the identity's other references; null if it is the only one, or if "
        "another model embedded it and no picture is kept to do it again."
    )
    outlier: bool = Field(
        description="It is outside of the largest group of references that match each other."
    )


class IdentityDetailOut(IdentityOut):
    items: list[ReferenceOut]
    consent: str | None = Field(description="As given at enrolment.")
    metadata: dict[str, str] = Field(description="As given at enrolment.")
    failures: int = Field(description="Verifications in vain since the last that was not.")
    last_used_at: datetime | None = Field(
        description="Of the latest verification that was not in vain, to the day or so."
    )


class DeletedOut(Schema):
    identity: str
    references: int = Field(description="How many were erased.")


class HealthOut(Schema):
    status: Literal["ok"]


class Problem(BaseModel):
    """application/problem+json, RFC 9457, with a stable machine code."""

    type: str = Field(examples=["urn:semblance:problem:no_face"])
    title: str
    status: int
    code: str
    detail: str
    instance: str | None = Field(default=None, description="The request's X-Request-Id.")
    reasons: list[str] | None = None
    rejected: list[RejectedOut] | None = None
    conflicts: list[ConflictOut] | None = None
    errors: list[dict[str, str]] | None = Field(
        default=None, description="Per field: `field` and `message`."
    )
