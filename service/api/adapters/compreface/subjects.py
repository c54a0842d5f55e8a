"""CompreFace's subjects: our identities.

A subject without a face cannot be: adding one by its name alone answers as CompreFace
does and stores nothing; the first face makes it.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from service.api.access import Enrolling, admitted
from service.api.adapters.compreface.asked import SubjectBody
from service.api.adapters.compreface.errors import CompreFaceRoute
from service.api.audited import audited, audited_both
from service.api.door import answered
from service.api.names import IdentityPath
from service.api.present import Json
from service.api.state import Running
from service.core import regroup
from service.core.erase import erase_identity
from service.core.errors import IdentityExists, InvalidRequest, UnknownIdentity

router = APIRouter(
    prefix="/api/v1/recognition/subjects", route_class=CompreFaceRoute, include_in_schema=False
)

PAGE = 1000


@router.post("")
async def add_subject(request: Request) -> Response:
    running = await admitted(request, "enroll")
    return await answered(request, running, SubjectBody, _add, status_code=201)


def _add(body: SubjectBody, running: Running) -> Json:
    with audited(running, "read_identity", body.subject):
        try:
            running.core.store.summary(body.subject)
        except UnknownIdentity:
            return {"subject": body.subject}
    raise InvalidRequest("the subject is there already")


@router.get("")
def list_subjects(running: Enrolling) -> Json:
    with audited(running, "list") as note:
        names = all_names(running)
        note.details["identities"] = len(names)
    return {"subjects": names}


@router.put("/{identity}")
async def rename_subject(identity: IdentityPath, request: Request) -> Response:
    running = await admitted(request, "enroll")

    def rename(body: SubjectBody, running: Running) -> Json:
        """To a name that is taken: both are one then, as CompreFace has it."""
        core, to = running.core, body.subject
        try:
            with audited_both(running, "rename", identity, to):
                regroup.rename_identity(core, identity, to)
        except IdentityExists:
            with audited_both(running, "merge", identity, to) as note:
                note.details["references"] = regroup.merge_identities(core, identity, to)
        return {"updated": True}

    return await answered(request, running, SubjectBody, rename)


@router.delete("/{identity}")
def delete_subject(identity: IdentityPath, running: Enrolling) -> Json:
    delete_one(running, identity)
    return {"subject": identity}


@router.delete("")
def delete_all_subjects(running: Enrolling) -> Json:
    return {"deleted": len(delete_all(running))}


def delete_one(running: Running, identity: str) -> int:
    """How many references went. Raises UnknownIdentity."""
    with audited(running, "delete_identity", identity) as note:
        references = erase_identity(running.core, identity)
        note.details["references"] = references
    return references


def delete_all(running: Running) -> list[int]:
    """How many references each had."""
    return [delete_one(running, name) for name in all_names(running)]


def all_names(running: Running) -> list[str]:
    names: list[str] = []
    while True:
        page = running.core.store.identities(names[-1] if names else None, PAGE)
        names += [summary.identity for summary in page]
        if len(page) < PAGE:
            return names
