"""Core results as the API's JSON."""

from __future__ import annotations

from dataclasses import asdict

from model import quality
from model.contract import Manifest, Precision
from model.faces import LANDMARKS
from model.quality import Gate
from service.api import conflict_schemas, model_schemas, schemas
from service.api.model_schemas import OperatingPointOut, VerdictPointOut
from service.core.agreement import Agreement
from service.core.conflicts import CONFLICT
from service.core.core import Loaded
from service.core.ports import About, FaceModel, IdentitySummary, Reference, Standing
from service.core.presentation import Presentation
from service.core.results import (
    Comparison,
    Conflict,
    Detection,
    Enrolment,
    FoundFace,
    RejectedImage,
    Threshold,
    Verification,
)

_PIXEL_DIGITS = 2
_SHARE_DIGITS = 5


Json = dict[str, object]
"""The content of an answer, as the schema of its route in `schemas` says.

Plain, since these are made on every request; checked against OpenAPI by tests.
"""


def model_ref(manifest: Manifest) -> Json:
    return {
        "name": manifest.name,
        "version": manifest.version,
        "fingerprint": manifest.fingerprint,
    }


def face_out(found: FoundFace, gate: Gate = "standard") -> Json:
    face, measured = found.face, found.quality
    width, height = found.image_width, found.image_height
    # With the gate off a caller still wants to know what a standard one would say.
    objections = quality.reasons(measured, "standard" if gate == "off" else gate)
    return {
        "box": _box(face.x, face.y, face.width, face.height, _PIXEL_DIGITS),
        "box_normalized": _box(
            face.x / width, face.y / height, face.width / width, face.height / height, _SHARE_DIGITS
        ),
        "landmarks": {
            name: {"x": round(x, _PIXEL_DIGITS), "y": round(y, _PIXEL_DIGITS)}
            for name, (x, y) in zip(LANDMARKS, face.landmarks.tolist(), strict=True)
        },
        "confidence": round(face.confidence, _SHARE_DIGITS),
        "quality": {
            "score": round(measured.score, 3),
            "reasons": [str(reason) for reason in objections],
            "face_size_px": round(measured.face_size_px, 1),
            "confidence": round(measured.confidence, 3),
            "sharpness": round(measured.sharpness, 1),
            "brightness": round(measured.brightness, 1),
            "contrast": round(measured.contrast, 1),
            "yaw": round(measured.yaw, 3),
            "pitch": round(measured.pitch, 3),
            "roll_degrees": round(measured.roll_degrees, 1),
            "visible": round(measured.visible, 3),
        },
        "presentation": presentation_out(found.presentation),
    }


def presentation_out(found: Presentation | None) -> Json | None:
    if found is None:
        return None
    return {
        "attack": found.attack,
        "score": round(found.score, _SHARE_DIGITS),
        "measured_on": found.measured_on,
    }


def enrol_out(result: Enrolment, gate: Gate) -> Json:
    return {
        "identity": result.identity,
        "references": result.references,
        "accepted": [
            {
                "index": item.index,
                "filename": item.filename,
                "reference_id": item.reference_id,
                "duplicate": item.duplicate,
                "face": face_out(item.found, gate),
                "quality": round(item.found.quality.score, 3),
            }
            for item in result.accepted
        ],
        "rejected": [rejected_out(item, gate) for item in result.rejected],
        "conflicts": [conflict_out(item) for item in result.conflicts],
        "others_searched": result.others_searched,
        "model": model_ref(result.manifest),
    }


def conflict_out(item: Conflict) -> Json:
    return {"code": CONFLICT, **asdict(item)}


def rejected_out(item: RejectedImage, gate: Gate = "standard") -> Json:
    return {
        "index": item.index,
        "filename": item.filename,
        "code": item.code,
        "detail": item.detail,
        "reasons": list(item.reasons),
        "face": face_out(item.found, gate) if item.found else None,
    }


def verify_out(result: Verification, gate: Gate, *, scores: bool = True) -> Json:
    return {
        "identity": result.identity,
        "verified": result.verified,
        "matched": result.matched,
        "references": len(result.references),
        "fusion": result.fusion,
        "fused_score": result.fused_score if scores else None,
        "share": result.share,
        "detection_threshold": threshold_out(result.detection_threshold),
        "verification_threshold": threshold_out(result.verification_threshold),
        "fmr": result.fmr,
        "verdict_fmr": result.verdict_fmr,
        "scores": [
            {"reference_id": reference_id, "score": score, "matched": matched}
            for reference_id, score, matched in (result.references if scores else ())
        ],
        "face": face_out(result.found, gate),
        "liveness": liveness_out(result.live),
        "model": model_ref(result.manifest),
        "timings_ms": result.timings_ms,
    }


def liveness_out(live: bool | None) -> Json | None:
    """None where nobody was asked to show it."""
    return None if live is None else {"live": live}


def compare_out(result: Comparison, gate: Gate, *, scores: bool = True) -> Json:
    return {
        "score": result.score if scores else None,
        "threshold": threshold_out(result.threshold),
        "fmr": result.fmr,
        "verified": result.verified,
        "face_a": face_out(result.found_a, gate),
        "face_b": face_out(result.found_b, gate),
        "model": model_ref(result.manifest),
        "timings_ms": result.timings_ms,
    }


def detect_out(result: Detection, gate: Gate) -> Json:
    return {
        "faces": [face_out(found, gate) for found in result.faces],
        "width": result.image_width,
        "height": result.image_height,
        "timings_ms": result.timings_ms,
    }


def identity_out(summary: IdentitySummary) -> schemas.IdentityOut:
    return schemas.IdentityOut(
        identity=summary.identity, references=summary.references, created_at=summary.created_at
    )


def identity_detail_out(
    summary: IdentitySummary,
    references: list[tuple[Reference, Agreement | None]],
    about: About,
    standing: Standing,
) -> schemas.IdentityDetailOut:
    return schemas.IdentityDetailOut(
        identity=summary.identity,
        references=len(references),
        created_at=summary.created_at,
        items=[
            schemas.ReferenceOut(
                reference_id=item.reference_id,
                created_at=item.created_at,
                quality=round(item.quality, 3),
                filename=item.filename,
                has_image=item.has_image,
                fingerprint=item.fingerprint,
                agreement=_agreement(agreement),
                outlier=agreement is not None and agreement.outlier,
            )
            for item, agreement in references
        ],
        consent=about.consent,
        metadata=dict(about.metadata),
        failures=standing.failures,
        last_used_at=standing.used_at,
    )


def _agreement(found: Agreement | None) -> conflict_schemas.AgreementOut | None:
    if found is None:
        return None
    return conflict_schemas.AgreementOut(median=found.median, lowest=found.lowest, best=found.best)


def model_out(
    model: FaceModel,
    runtime: str,
    precision: Precision,
    thresholds: model_schemas.ThresholdsOut,
    following: Loaded | None,
    *,
    require_liveness: bool,
) -> model_schemas.ModelOut:
    manifest = model.manifest
    calibration = manifest.calibration
    return model_schemas.ModelOut(
        name=manifest.name,
        version=manifest.version,
        fingerprint=manifest.fingerprint,
        runtime=runtime,
        precision=precision,
        input_size=manifest.input_size,
        embedding_size=manifest.embedding_size,
        thresholds=thresholds,
        calibration=model_schemas.CalibrationOut(
            **calibration.model_dump(exclude={"points", "verdicts", "identities"}),
            points=[OperatingPointOut(**point.model_dump()) for point in calibration.points],
            verdicts=[VerdictPointOut(**row.model_dump()) for row in calibration.verdicts],
        ),
        weights=[model_schemas.WeightsOut(**item.model_dump()) for item in manifest.weights],
        require_liveness=require_liveness,
        next=schemas.ModelRef.model_validate(model_ref(following.model.manifest))
        if following
        else None,
    )


def _box(x: float, y: float, width: float, height: float, digits: int) -> Json:
    return {
        "x": round(x, digits),
        "y": round(y, digits),
        "width": round(width, digits),
        "height": round(height, digits),
    }


def threshold_out(threshold: Threshold) -> Json:
    return {"value": threshold.value, "source": threshold.source}
