"""Routes of enrolled identities: list, look, rename, merge, delete."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import APIRouter, Query, Response

from service.api.access import Administering, Enrolling
from service.api.audited import audited, audited_both
from service.api.body import openapi_body
from service.api.documented import BODY, problems
from service.api.door import at_the_door_of_one
from service.api.names import IdentityPath
from service.api.present import identity_detail_out, identity_out
from service.api.requests import MergeRequest, RenameRequest
from service.api.schemas import DeletedOut, IdentityDetailOut, IdentityPage
from service.api.state import Running
from service.core import regroup
from service.core.conflicts import reference_agreements
from service.core.erase import erase_identity, erase_reference
from service.core.errors import InvalidRequest

router = APIRouter(prefix="/v1/identities", tags=["identities"])

_MAX_PAGE = 1000


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
def get_identity(identity: IdentityPath, running: Enrolling) -> IdentityDetailOut:
    """One identity with its references and how well each agrees with the others.

    No embeddings, no images. A bad picture among good ones is an `outlier`.
    """
    with audited(running, "read_identity", identity):
        return _detail(running, identity)


@router.post(
    "/{identity}/rename",
    response_model=IdentityDetailOut,
    responses=problems(*BODY, "unknown_identity", "identity_exists", "overloaded"),
    openapi_extra=openapi_body(RenameRequest, ()),
)
@at_the_door_of_one(RenameRequest, "enroll")
def rename_identity(identity: str, body: RenameRequest, running: Running) -> IdentityDetailOut:
    """Gives an identity another name; all else stays, failures and a lock, too."""
    # On record under both names: which one is asked for later, nobody knows.
    with audited_both(running, "rename", identity, body.to):
        regroup.rename_identity(running.core, identity, body.to)
        return _detail(running, body.to)


@router.post(
    "/{identity}/merge",
    response_model=IdentityDetailOut,
    responses=problems(
        *(*BODY, "unknown_identity", "too_many_references", "model_mismatch", "overloaded")
    ),
    openapi_extra=openapi_body(MergeRequest, ()),
)
@at_the_door_of_one(MergeRequest, "enroll")
def merge_identity(identity: str, body: MergeRequest, running: Running) -> IdentityDetailOut:
    """Moves all references of an identity to another one, and erases it, in one transaction.

    A picture that both have is kept once. Consent and metadata of the other stay, unless
    it has none. Of the verifications in vain the greater number counts.
    """
    with audited_both(running, "merge", identity, body.into) as note:
        note.details["references"] = regroup.merge_identities(running.core, identity, body.into)
        return _detail(running, body.into)


@router.post("/{identity}/unlock", status_code=204, responses=problems("unknown_identity"))
def unlock_identity(identity: IdentityPath, running: Administering) -> Response:
    """Forgets the verifications in vain of an identity, so that it can be tried again."""
    with audited(running, "unlock", identity):
        running.core.store.forget_failures(identity)
    return Response(status_code=204)


@router.delete("/{identity}", responses=problems("unknown_identity"))
def delete_identity(identity: IdentityPath, running: Enrolling) -> DeletedOut:
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
def delete_reference(identity: IdentityPath, reference_id: str, running: Enrolling) -> Response:
    """Erases one reference; with its last one the identity goes, too."""
    with audited(running, "delete_reference", identity):
        erase_reference(running.core, identity, reference_id)
    return Response(status_code=204)


def _detail(running: Running, identity: str) -> IdentityDetailOut:
    store = running.core.store
    return identity_detail_out(
        store.summary(identity),
        reference_agreements(running.core, identity),
        store.about(identity),
        store.standing(identity),
    )


def _to_cursor(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode().rstrip("=")


def _from_cursor(cursor: str) -> str:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest("the cursor is none that a page gave") from error
