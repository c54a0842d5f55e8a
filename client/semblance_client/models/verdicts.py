"""Verdicts on a probe, and on two pictures."""

from __future__ import annotations

from typing import Literal

from semblance_client.models.base import Fusion, Model
from semblance_client.models.enrolment import ModelRef
from semblance_client.models.faces import Face


class Threshold(Model):
    value: float
    source: Literal["request", "fmr", "settings", "default"]


class ReferenceScore(Model):
    reference_id: str
    score: float
    matched: bool


class Liveness(Model):
    """That the face is the one of a person who was shown to be there."""

    live: bool


class Verification(Model):
    """Is the face the one that enrolled?

    Attributes:
        matched: References whose score is above the detection threshold.
        share: matched / references.
        fused_score: None by the rule `share`, and where the key may not see scores.
        fmr: Measured false match rate of one comparison, as an upper bound.
        verdict_fmr: The same of the whole verdict; None where it was not measured.
        scores: Of each reference; empty where the key may not see scores.
        liveness: None without a liveness token.
        signed: For `audience`, as a JWT; None without one.
    """

    identity: str
    verified: bool
    matched: int
    references: int
    fusion: Fusion
    fused_score: float | None
    share: float
    detection_threshold: Threshold
    verification_threshold: Threshold
    fmr: float | None
    verdict_fmr: float | None
    scores: list[ReferenceScore]
    face: Face
    liveness: Liveness | None
    model: ModelRef
    timings_ms: dict[str, float]
    signed: str | None


class Comparison(Model):
    """Do two pictures show one person?

    Attributes:
        score: In [0, 1], higher is more alike; None where the key may not see scores.
    """

    score: float | None
    threshold: Threshold
    fmr: float | None
    verified: bool
    face_a: Face
    face_b: Face
    model: ModelRef
    timings_ms: dict[str, float]
