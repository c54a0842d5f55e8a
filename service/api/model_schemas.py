"""The JSON of `GET /v1/model`."""

from __future__ import annotations

from pydantic import Field

from model.contract import Fusion, Precision
from service.api.schema import Schema
from service.api.schemas import ModelRef


class OperatingPointOut(Schema):
    fmr: float
    threshold: float
    fmr_measured: float
    fmr_interval: tuple[float, float]
    fnmr: float
    fnmr_interval: tuple[float, float]


class VerdictPointOut(Schema):
    """Error rates of whole verdicts with so many references."""

    fusion: Fusion
    references: int
    fmr: float
    threshold: float = Field(description="Of one score by `share`, of the fused score else.")
    verification_threshold: float | None = Field(description="Of `share` alone.")
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
    verdicts: list[VerdictPointOut] = Field(description="Empty where it was not measured.")
    verdict_protocol: str
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
    fusion: Fusion = Field(
        description="The rule in force. max, mean and centroid have thresholds of their own, "
        "by the number of references, unless the operator set detection_threshold."
    )


class ModelOut(Schema):
    name: str
    version: str
    fingerprint: str
    runtime: str
    precision: Precision = Field(description="Of the convolutions, as run on this CPU.")
    input_size: tuple[int, int] = Field(description="(height, width) of a chip.")
    embedding_size: int
    thresholds: ThresholdsOut
    calibration: CalibrationOut
    weights: list[WeightsOut]
    require_liveness: bool = Field(
        description="Whether every verification must come with a liveness_token."
    )
    next: ModelRef | None = Field(
        description="The model that is to take this one's place: new identities are enrolled "
        "with it, and those whose references it has embedded are verified by it. null but "
        "while the model is changed."
    )
