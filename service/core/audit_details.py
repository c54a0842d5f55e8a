"""What the audit log keeps of a result: counts, the rule and its thresholds.

Scores tell how alike two faces are, which is more than the verdict: they are left
out unless the operator asks for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from service.core.audit import Detail
from service.core.identify import Identification
from service.core.liveness.session import Session
from service.core.results import Comparison, Detection, Enrolment, RejectedImage, Verification
from service.core.stream import Row

Details = dict[str, Detail]


def verdict(verified: bool) -> str:
    """The outcome of a verification or comparison."""
    return "verified" if verified else "not_verified"


def enrolment_details(result: Enrolment) -> Details:
    details: Details = {
        "accepted": sum(not image.duplicate for image in result.accepted),
        "duplicates": sum(image.duplicate for image in result.accepted),
        "references": result.references,
        "conflicts": len(result.conflicts),
        "model": result.manifest.fingerprint,
    }
    return details | rejection_details(result.rejected)


def rejection_details(rejected: Sequence[RejectedImage]) -> Details:
    """How many images were refused by what code, and for what reasons of the gate."""
    codes = Counter(f"rejected_{image.code}" for image in rejected)
    reasons = Counter(f"objection_{reason}" for image in rejected for reason in image.reasons)
    found: Details = {}
    found.update(sorted(codes.items()))
    found.update(sorted(reasons.items()))
    return found


def verification_details(result: Verification, *, scores: bool) -> Details:
    details: Details = {
        "rule": result.fusion,
        "detection_threshold": result.detection_threshold.value,
        "detection_threshold_from": result.detection_threshold.source,
        "verification_threshold": result.verification_threshold.value,
        "verification_threshold_from": result.verification_threshold.source,
        "fmr": result.fmr,
        "verdict_fmr": result.verdict_fmr,
        "references": len(result.references),
        "matched": result.matched,
        "live": result.live,
        "model": result.manifest.fingerprint,
    }
    if scores:
        details["scores"] = [reference.score for reference in result.references]
        details["fused_score"] = result.fused_score
    return details


def stream_details(row: Row, why: str | None, *, scores: bool) -> Details:
    """Args: why: It ended; None: the caller left."""
    details: Details = {} if row.last is None else verification_details(row.last, scores=scores)
    return details | {
        "frames": row.evidence.frames,
        "frames_matching": row.evidence.matching,
        "ended_by": why or "caller",
    }


def liveness_details(session: Session) -> Details:
    return {
        "frames": session.frames,
        "challenges": session.count,
        "passed": session.passed,
        "ended_by": "decided" if session.live else session.ended or "caller",
    }


def identification_details(result: Identification, *, scores: bool) -> Details:
    details: Details = {
        "detection_threshold": result.threshold.value,
        "detection_threshold_from": result.threshold.source,
        "fpir": result.fpir,
        "references": result.references,
        "matched": sum(one.matched for one in result.candidates),
        "search": result.way,
    }
    if scores:
        details["scores"] = [one.score for one in result.candidates]
    return details


def comparison_details(result: Comparison, *, scores: bool) -> Details:
    details: Details = {
        "detection_threshold": result.threshold.value,
        "detection_threshold_from": result.threshold.source,
        "fmr": result.fmr,
        "model": result.manifest.fingerprint,
    }
    if scores:
        details["scores"] = [result.score]
    return details


def detection_details(result: Detection) -> Details:
    return {"faces": len(result.faces)}
