"""The JSON of every answer; one place to read the contract of the API."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]


class Schema(BaseModel):
    model_config = ConfigDict(frozen=True, protected_namespaces=())


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
    verified: bool = Field(description="share > verification_threshold.")
    matched: int = Field(description="References whose score > detection_threshold.")
    references: int
    share: Share = Field(description="matched / references.")
    detection_threshold: ThresholdOut
    verification_threshold: ThresholdOut
    fmr: float | None = Field(
        description="Measured false match rate of one comparison at this detection threshold, "
        "as an upper bound; null when it is looser than the whole table."
    )
    scores: list[ReferenceScore]
    face: FaceOut
    model: ModelRef
    timings_ms: dict[str, float] = Field(
        description="decode, detect, align, embed, references, score, total."
    )


class CompareOut(Schema):
    score: Share
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


class IdentityDetailOut(IdentityOut):
    items: list[ReferenceOut]


class DeletedOut(Schema):
    identity: str
    references: int = Field(description="How many were erased.")


class OperatingPointOut(Schema):
    fmr: float
    threshold: float
    fmr_measured: float
    fmr_interval: tuple[float, float]
    fnmr: float
    fnmr_interval: tuple[float, float]


class CalibrationOut(Schema):
    dataset: str
    protocol: str
    measured_on: str
    impostor_pairs: int
    genuine_pairs: int
    points: list[OperatingPointOut]
    accuracy: float = Field(description="Mean over folds of pairs, as `protocol` says.")
    accuracy_standard_error: float


class WeightsOut(Schema):
    file: str
    sha256: str
    source: str
    licence: str


class ThresholdsOut(Schema):
    detection_threshold: float
    verification_threshold: float
    fmr: float | None


class ModelOut(Schema):
    name: str
    version: str
    fingerprint: str
    runtime: str
    input_size: tuple[int, int] = Field(description="(height, width) of a chip.")
    embedding_size: int
    thresholds: ThresholdsOut
    calibration: CalibrationOut
    weights: list[WeightsOut]


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
    errors: list[dict[str, str]] | None = Field(
        default=None, description="Per field: `field` and `message`."
    )
