"""What enrolling and verifying do for a request, on record, as the content of an answer."""

from __future__ import annotations

from service.api.audited import audited
from service.api.present import Json, enrol_out, verify_out
from service.api.requests import EnrolRequest, VerifyRequest
from service.api.signing import signed_verdict
from service.api.state import Running
from service.core import enrol as core_enrol
from service.core import verify as core_verify
from service.core.audit_details import enrolment_details, verdict, verification_details
from service.core.ports import About
from service.core.sites import Receiver


def enrolled(body: EnrolRequest, running: Running) -> Json:
    """Raises as `service.core.enrol.enrol`."""
    core = running.core
    about = None
    if body.consent is not None or body.metadata is not None:
        about = About(body.consent, body.metadata or {})
    with audited(running, "enroll", body.identity) as note:
        result = core_enrol.enrol(
            core, body.identity, body.images, body.faces, body.conflicts, about=about
        )
        note.details = enrolment_details(result)
    return enrol_out(result, core.policy.gate)


def verified(body: VerifyRequest, running: Running) -> Json:
    """Raises as `service.core.verify.verify`, and what is wrong with a liveness token."""
    core = running.core
    with audited(running, "verify", body.identity) as note:
        proof = running.proof(body.identity, body.liveness_token, body.require_liveness)
        result = core_verify.verify(
            core,
            body.identity,
            body.image.data,
            detection=body.detection_threshold,
            verification=body.verification_threshold,
            fmr=body.fmr,
            fusion=body.fusion,
            choice=body.faces,
            proof=proof,
        )
        note.outcome = verdict(result.verified)
        note.details = verification_details(result, scores=running.settings.audit_scores)
        signed = None
        if body.audience is not None:
            receiver = Receiver(body.audience, body.nonce)
            signed = signed_verdict(
                running, receiver, body.identity, verified=result.verified, last=result
            )
    return verify_out(result, core.policy.gate, scores=running.sees_scores) | {"signed": signed}
