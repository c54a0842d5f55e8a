"""CompreFace's examples of a subject: our references."""

from __future__ import annotations

import math
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from service.api.access import Administering, Enrolling, admitted
from service.api.adapters.compreface.asked import (
    AnySubject,
    Asked,
    FileBody,
    ImageIds,
    Subject,
    image_id_of,
    reference_id_of,
)
from service.api.adapters.compreface.errors import CompreFaceRoute
from service.api.adapters.compreface.subjects import PAGE, delete_all, delete_one
from service.api.audited import audited
from service.api.door import answered
from service.api.present import Json
from service.api.state import Running
from service.core.audit_details import enrolment_details
from service.core.enrol import enrol
from service.core.erase import erase_reference
from service.core.errors import ImagesNotServed, InvalidRequest, UnknownIdentity, UnknownReference

router = APIRouter(
    prefix="/api/v1/recognition/faces", route_class=CompreFaceRoute, include_in_schema=False
)


@router.post("")
async def add_face(request: Request, subject: Subject, asked: Asked) -> Response:
    running = await admitted(request, "enroll")
    if asked.det_prob_threshold > running.settings.face_confidence:
        # What is judged before it is stored is the operator's choice, not one call's.
        raise InvalidRequest(
            "det_prob_threshold is above SEMBLANCE_FACE_CONFIDENCE: raise that instead"
        )

    def add(body: FileBody, running: Running) -> Json:
        with audited(running, "enroll", subject) as note:
            result = enrol(running.core, subject, [body.file])
            note.details = enrolment_details(result)
        return {"image_id": image_id_of(result.accepted[0].reference_id), "subject": subject}

    return await answered(request, running, FileBody, add, status_code=201)


@router.get("")
def list_faces(
    running: Enrolling,
    subject: AnySubject,
    page: Annotated[int, Query(ge=0)] = 0,
    size: Annotated[int, Query(ge=1, le=PAGE)] = 20,
) -> Json:
    with audited(running, "list") as note:
        faces, total = _faces_from(running, page * size, size, subject)
        note.details["identities"] = len({identity for identity, _ in faces})
    return {
        "faces": [
            {"image_id": image_id_of(reference_id), "subject": identity}
            for identity, reference_id in faces
        ],
        "page_number": page,
        "page_size": size,
        "total_pages": math.ceil(total / size),
        "total_elements": total,
    }


@router.delete("")
def delete_faces(running: Enrolling, subject: AnySubject) -> Json:
    """Of one subject, or of all; a subject goes with its faces."""
    if subject is None:
        return {"deleted": sum(delete_all(running))}
    try:
        return {"deleted": delete_one(running, subject)}
    except UnknownIdentity:
        return {"deleted": 0}


@router.delete("/{image_id}")
def delete_face(image_id: str, running: Enrolling) -> Json:
    return _delete_face(running, image_id)


@router.post("/delete")
async def delete_several(request: Request) -> Response:
    running = await admitted(request, "enroll")
    return await answered(request, running, ImageIds, _delete_several)


def _delete_several(body: ImageIds, running: Running) -> list[Json]:
    """Those that are there; of the others nothing is said, as CompreFace has it."""
    gone = []
    for image_id in body.root:
        try:
            gone.append(_delete_face(running, image_id))
        except (UnknownReference, UnknownIdentity):
            continue
    return gone


@router.get("/{image_id}/img")
def download_face(image_id: str, running: Administering) -> Response:
    """The stored picture, by the rules of our own route."""
    identity, reference_id = found(running, image_id)
    with audited(running, "image", identity):
        if not running.core.policy.serve_images:
            raise ImagesNotServed("SEMBLANCE_SERVE_IMAGES is off")
        kept = running.core.store.image(identity, reference_id)
    if kept is None:
        return Response(b"", media_type="application/octet-stream")
    return Response(kept.data, media_type=kept.media_type)


def found(running: Running, image_id: str) -> tuple[str, str]:
    """The identity and our id of a face. Raises UnknownReference."""
    reference_id = reference_id_of(image_id)
    return running.core.store.owner_of(reference_id), reference_id


def _delete_face(running: Running, image_id: str) -> Json:
    identity, reference_id = found(running, image_id)
    with audited(running, "delete_reference", identity):
        erase_reference(running.core, identity, reference_id)
    return {"image_id": image_id_of(reference_id), "subject": identity}


def _faces_from(
    running: Running, first: int, count: int, subject: str | None
) -> tuple[list[tuple[str, str]], int]:
    """Identity and reference of each face of a page, in order of name; and how many there are."""
    store, before = running.core.store, 0
    faces: list[tuple[str, str]] = []
    if subject is not None:
        try:
            summaries = [store.summary(subject)]
        except UnknownIdentity:
            return [], 0
    else:
        summaries = store.identities(None, PAGE)
    while summaries:
        for summary in summaries:
            begins, before = before, before + summary.references
            if before > first and len(faces) < count:
                ids = [item.reference_id for item in store.references(summary.identity)]
                skipped = max(0, first - begins)
                faces += [(summary.identity, one) for one in ids[skipped:]]
        if subject is not None or len(summaries) < PAGE:
            break
        summaries = store.identities(summaries[-1].identity, PAGE)
    return faces[:count], before
