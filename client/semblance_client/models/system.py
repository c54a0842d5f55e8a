"""The service itself: its model, its health, its keys and sessions."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from semblance_client.models.base import Fusion, Model
from semblance_client.models.enrolment import ModelRef


class OperatingPoint(Model):
    fmr: float
    threshold: float
    fmr_measured: float
    fmr_interval: tuple[float, float]
    fnmr: float
    fnmr_interval: tuple[float, float]


class VerdictPoint(Model):
    """Error rates of whole verdicts with so many references."""

    fusion: Fusion
    references: int
    fmr: float
    threshold: float
    verification_threshold: float | None
    fmr_measured: float
    fmr_interval: tuple[float, float]
    fnmr: float
    fnmr_interval: tuple[float, float]


class Calibration(Model):
    dataset: str
    protocol: str
    measured_on: str
    impostor_pairs: int
    genuine_pairs: int
    points: list[OperatingPoint]
    verdicts: list[VerdictPoint]
    verdict_protocol: str
    accuracy: float
    accuracy_standard_error: float


class Weights(Model):
    file: str
    sha256: str
    source: str
    licence: str


class Thresholds(Model):
    detection_threshold: float
    verification_threshold: float
    fmr: float | None
    fusion: Fusion


class FaceModel(Model):
    """The model in use, its measured error rates, and the thresholds in force.

    Attributes:
        input_size: (height, width) of an aligned face.
        next: The model that is to take its place; None but while it is changed.
    """

    name: str
    version: str
    fingerprint: str
    runtime: str
    precision: str
    input_size: tuple[int, int]
    embedding_size: int
    thresholds: Thresholds
    calibration: Calibration
    weights: list[Weights]
    require_liveness: bool
    next: ModelRef | None


class Health(Model):
    status: Literal["ok"]


class LivenessSession(Model):
    """A session in which a person shows to be there, at WS /v1/liveness/stream."""

    session: str
    identity: str
    challenges: int
    most_seconds: float
    expires_at: datetime


class SiteSession(Model):
    """For a page of another site, which verifies one identity with it."""

    session: str
    identity: str
    expires_at: datetime


class PublicKey(Model):
    """A JWK (RFC 8037)."""

    kty: str
    crv: str
    x: str
    kid: str
    use: str
    alg: str


class KeySet(Model):
    keys: list[PublicKey]
