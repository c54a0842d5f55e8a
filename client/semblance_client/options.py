"""What a call may say beyond what it must; None is as if it were not said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from semblance_client.models.base import ConflictMode, FaceChoice, Fusion


class EnrolOptions(TypedDict, total=False):
    """Of an enrolment.

    Attributes:
        consent: Where the person's consent is on record.
        metadata: Up to 16 names and texts of your own.
        conflicts: At least as strict as the operator's setting.
    """

    consent: str | None
    metadata: Mapping[str, str] | None
    faces: FaceChoice | None
    conflicts: ConflictMode | None


class CompareOptions(TypedDict, total=False):
    """Of a comparison.

    Attributes:
        detection_threshold: In [0, 1]; a score above it matches.
        fmr: Take the threshold measured for this false match rate.
    """

    detection_threshold: float | None
    fmr: float | None
    faces: FaceChoice | None


class _Judging(CompareOptions, total=False):
    verification_threshold: float | None
    fusion: Fusion | None
    require_liveness: bool | None
    nonce: str | None


class SiteSessionOptions(_Judging, total=False):
    """Of a session for a page of another site."""


class VerifyOptions(_Judging, total=False):
    """Of a verification.

    Attributes:
        fmr: Of the whole verdict.
        liveness_token: From a liveness session that was passed; used up.
        audience: The site that the answer is signed for.
    """

    liveness_token: str | None
    audience: str | None


class IdentifyOptions(TypedDict, total=False):
    """Of an identification.

    Attributes:
        candidates: Identities to name, at most.
        max_fpir: Take the threshold measured for this false positive identification rate.
        detection_threshold: Or a threshold of your own.
    """

    candidates: int | None
    max_fpir: float | None
    detection_threshold: float | None
    faces: FaceChoice | None
