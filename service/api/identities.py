"""Routes of enrolled identities: list, look, delete."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from service.api.access import Administering, Enrolling
from service.api.audited import audited
from service.api.documented import problems
from service.api.present import identity_detail_out, identity_out
from service.api.requests import check_identity
from service.api.schemas import DeletedOut, IdentityDetailOut, IdentityPage
from service.core.conflicts import reference_agreements
from service.core.erase import erase_identity, erase_reference
from service.core.errors import ImagesNotServed, InvalidRequest, UnknownIdentity, UnknownReference

router = APIRouter(prefix="/v1/identities", tags=["identities"])

_MAX_PAGE = 1000


async def _identity(identity: Annotated[str, Path()]) -> str:
    try:
        return check_identity(identity)
    except ValueError as error:
        # A name that nobody could have enrolled.
        raise UnknownIdentity("no such identity is enrolled") from error


Identity = Annotated[str, Depends(_identity)]


@router.get("", responses=problems("invalid_request", "not_ready"))
def list_identities(
    running: Enrolling,
    cursor: Annotated[str | None, Query(max_length=1024)] = None,
    limit: Annotated[int, Query(ge=1, le=_MAX_PAGE)] = 100,
) -> IdentityPage:
    """A page of identities in order of name."""
    after = _from_cursor(cursor) if cursor is not None else None
    # One more than asked for tells whether there is a next page.
    with audited(running, "list") as note:
        found = running.core.store.identities(after, limit + 1)
        note.details["identities"] = min(len(found), limit)
    page = found[:limit]
    return IdentityPage(
        identities=[identity_out(summary) for summary in page],
        next_cursor=_to_cursor(page[-1].identity) if len(found) > limit else None,
    )


@router.get("/{identity}", responses=problems("unknown_identity"))
def get_identity(identity: Identity, running: Enrolling) -> IdentityDetailOut:
    """One identity with its references and how well each agrees with the others.

    No embeddings, no images. A bad picture among good ones is an `outlier`.
    """
    core = running.core
    store = core.store
    with audited(running, "read_identity", identity):
        return identity_detail_out(
            store.summary(identity),
            reference_agreements(core, identity),
            store.about(identity),
            store.standing(identity),
        )


@router.post("/{identity}/unlock", status_code=204, responses=problems("unknown_identity"))
def unlock_identity(identity: Identity, running: Administering) -> Response:
    """Forgets the verifications in vain of an identity, so that it can be tried again."""
    with audited(running, "unlock", identity):
        running.core.store.forget_failures(identity)
    return Response(status_code=204)


@router.delete("/{identity}", responses=problems("unknown_identity"))
def delete_identity(identity: Identity, running: Enrolling) -> DeletedOut:
    """Erases an identity: rows, pictures and embeddings, from the disk too."""
    with audited(running, "delete_identity", identity) as note:
        references = erase_identity(running.core, identity)
        note.details["references"] = references
    return DeletedOut(identity=identity, references=references)


@router.delete(
    "/{identity}/references/{reference_id}",
    status_code=204,
    responses=problems("unknown_identity", "unknown_reference"),
)
def delete_reference(identity: Identity, reference_id: str, running: Enrolling) -> Response:
    """Erases one reference; with its last one the identity goes, too."""
    with audited(running, "delete_reference", identity):
        erase_reference(running.core, identity, reference_id)
    return Response(status_code=204)


@router.get(
    "/{identity}/references/{reference_id}/image",
    response_class=Response,
    responses=problems("images_not_served", "unknown_identity", "unknown_reference"),
)
def get_image(identity: Identity, reference_id: str, running: Administering) -> Response:
    """The stored picture of a reference, where the operator allows it."""
    with audited(running, "image", identity):
        if not running.core.policy.serve_images:
            raise ImagesNotServed("SEMBLANCE_SERVE_IMAGES is off")
        image = running.core.store.image(identity, reference_id)
        if image is None:
            raise UnknownReference("no picture of this reference is kept")
    headers = {"Cache-Control": "private, no-store"}
    return Response(image.data, media_type=image.media_type, headers=headers)


def _to_cursor(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def _from_cursor(cursor: str) -> str:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest("the cursor is none that a page gave") from error
