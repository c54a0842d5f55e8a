"""What a stream says, as JSON: docs/stream.md has every field."""

from __future__ import annotations

import statistics

from model.quality import Gate
from service.api.present import Json, face_out, liveness_out, model_ref, threshold_out
from service.api.problems import TABLE
from service.core.results import Verification
from service.core.stream import Look, Row


def frame_out(look: Look, row: Row, gate: Gate, *, scores: bool = True) -> Json:
    """What one frame of a stream has shown, and how it stands."""
    result, problem = look.result, look.problem
    return {
        "face": face_out(result.found, gate) if result else None,
        "code": TABLE[type(problem)].code if problem else None,
        "detail": str(problem) if problem else None,
        "counted": look.counted,
        "matches": result.verified if result and scores else None,
        "score": _one_score(result) if result and scores else None,
        "evidence": round(row.evidence.share, 3) if scores else None,
        "verdict": row.verdict,
    }


def stream_result_out(row: Row, why: str, *, scores: bool = True) -> Json:
    last = row.last
    return {
        "type": "result",
        "identity": row.identity,
        "verified": why == "decided" and row.verdict == "verified",
        "why": why,
        "frames": row.evidence.frames,
        "matching": row.evidence.matching if scores else None,
        "evidence": round(row.evidence.share, 3) if scores else None,
        "detection_threshold": threshold_out(last.detection_threshold) if last else None,
        "verification_threshold": threshold_out(last.verification_threshold) if last else None,
        "fmr": last.fmr if last else None,
        "verdict_fmr": last.verdict_fmr if last else None,
        "liveness": liveness_out(last.live) if last else None,
        "model": model_ref(last.manifest) if last else None,
    }


def _one_score(result: Verification) -> float:
    """By the rule that makes one score, that; else the median of all."""
    if result.fused_score is not None:
        return result.fused_score
    return float(statistics.median(reference.score for reference in result.references))
