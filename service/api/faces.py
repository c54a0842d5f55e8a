"""Routes that look at a picture: enroll, verify, compare, detect."""

from __future__ import annotations

from fastapi import APIRouter

from service.api import examples
from service.api.audited import audited
from service.api.body import openapi_body
from service.api.documented import BODY, ONE_FACE, PICTURE, problems
from service.api.door import DoorRoute, at_the_door
from service.api.present import Json, compare_out, detect_out
from service.api.problems import rejection
from service.api.requests import CompareRequest, DetectRequest, EnrolRequest, VerifyRequest
from service.api.schemas import CompareOut, DetectOut, EnrolOut, VerifyOut
from service.api.state import Running
from service.api.work import enrolled, verified
from service.core import compare as core_compare
from service.core import detect as core_detect
from service.core.audit_details import (
    comparison_details,
    detection_details,
    verdict,
)
from service.core.enrol import REJECTIONS

router = APIRouter(tags=["faces"], route_class=DoorRoute)
short = APIRouter(include_in_schema=False, route_class=DoorRoute)
"""POST /enroll and POST /verify: stable short names for the same routes."""


@short.post("/enroll", status_code=201)
@router.post(
    "/v1/enroll",
    response_model=EnrolOut,
    status_code=201,
    responses=problems(
        *BODY,
        *(rejection(code) for code in REJECTIONS.values()),
        *("none_accepted", "too_many_references", "identity_conflict"),
        *("overloaded", "storage_full"),
        success=201,
        example=examples.ENROL,
    ),
    openapi_extra=openapi_body(EnrolRequest, ("images",)),
)
@at_the_door(EnrolRequest, "enroll", repeated="images", status_code=201)
def enroll(body: EnrolRequest, running: Running) -> Json:
    """Enrol 1 to 20 images of one person as references of an identity.

    Each image is judged by itself; those that are accepted are stored together.
    The same image again is recognised and not stored twice. `conflicts` names images
    that seem to be of somebody else: unlike the identity's other references, or like
    another identity. In strict mode those are refused.
    """
    return enrolled(body, running)


@short.post("/verify")
@router.post(
    "/v1/verify",
    response_model=VerifyOut,
    responses=problems(
        *PICTURE,
        *ONE_FACE,
        *("unknown_identity", "model_mismatch", "too_many_failures", "identity_locked"),
        *("missing_liveness", "wrong_liveness", "liveness_expired", "liveness_used"),
        "liveness_mismatch",
        example=examples.VERIFY,
    ),
    openapi_extra=openapi_body(VerifyRequest, ("image",)),
)
@at_the_door(VerifyRequest, "verify")
def verify(body: VerifyRequest, running: Running) -> Json:
    """Is the face in the image the one that enrolled?

    A reference matches when its score is above the detection threshold. By the rule
    `share`, the default, it is verified when the share of matching references is
    above the verification threshold; by `max`, `mean` and `centroid`, when the one
    score they make of all references is above the detection threshold. Without
    `detection_threshold` and `fmr` those three take the threshold measured for a
    false match rate of 1e-4. A face that does not match is 200 with
    `verified: false`. With a `liveness_token` the face must also be the one that was
    live.
    """
    return verified(body, running)


@router.post(
    "/v1/compare",
    response_model=CompareOut,
    responses=problems(*PICTURE, *ONE_FACE, example=examples.COMPARE),
    openapi_extra=openapi_body(CompareRequest, ("image_a", "image_b")),
)
@at_the_door(CompareRequest, "verify")
def compare(body: CompareRequest, running: Running) -> Json:
    """Do two images show one person? Nothing is stored."""
    core = running.core
    with audited(running, "compare") as note:
        result = core_compare.compare(
            core,
            body.image_a.data,
            body.image_b.data,
            detection=body.detection_threshold,
            fmr=body.fmr,
            choice=body.faces,
        )
        note.outcome = verdict(result.verified)
        note.details = comparison_details(result, scores=running.settings.audit_scores)
    return compare_out(result, core.policy.gate, scores=running.sees_scores)


@router.post(
    "/v1/detect",
    response_model=DetectOut,
    responses=problems(*PICTURE, example=examples.DETECT),
    openapi_extra=openapi_body(DetectRequest, ("image",)),
)
@at_the_door(DetectRequest, "verify")
def detect(body: DetectRequest, running: Running) -> Json:
    """All faces of an image, the largest first, with box, landmarks and quality."""
    core = running.core
    with audited(running, "detect") as note:
        result = core_detect.detect(core, body.image.data)
        note.details = detection_details(result)
    return detect_out(result, core.policy.gate)
