"""GET of a reference's picture: in full where the operator allows it, small for all who enrol."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from service.api.access import admitted
from service.api.audited import audited
from service.api.documented import problems
from service.api.names import IdentityPath
from service.api.state import Running
from service.core.errors import ImageNotKept, ImagesNotServed, UnknownReference
from service.core.thumbnail import LARGEST_PX, SMALLEST_PX, thumbnail

router = APIRouter(prefix="/v1/identities", tags=["identities"])


async def _admitted(request: Request) -> Running:
    # By what is there, not by what it says: a wrong number is told to who may come in.
    return await admitted(request, "enroll" if "size" in request.query_params else "admin")


@router.get(
    "/{identity}/references/{reference_id}/image",
    response_class=Response,
    responses=problems(
        *("images_not_served", "unknown_identity", "unknown_reference", "image_not_kept"),
        "invalid_request",
    ),
)
def get_image(
    identity: IdentityPath,
    reference_id: str,
    running: Annotated[Running, Depends(_admitted)],
    size: Annotated[
        int | None,
        Query(
            ge=SMALLEST_PX,
            le=LARGEST_PX,
            description="Longest side of a JPEG of the face, in pixels; for a key of the scope "
            "`enroll`. Without it: the picture as it is stored, for an administrator, if "
            "SEMBLANCE_SERVE_IMAGES is on.",
        ),
    ] = None,
) -> Response:
    """The stored picture of a reference: with `size` a small one of the face, else all of it."""
    with audited(running, "image", identity) as note:
        if size is None and not running.core.policy.serve_images:
            raise ImagesNotServed("SEMBLANCE_SERVE_IMAGES is off")
        kept = running.core.store.image(identity, reference_id)
        if kept is None and size is None:
            raise UnknownReference("no picture of this reference is kept")
        if kept is None:
            raise ImageNotKept("no picture of this reference is kept")
        data, media_type = kept.data, kept.media_type
        if size is not None:
            note.details["size_px"] = size
            data, media_type = thumbnail(kept, size), "image/jpeg"
    headers = {"Cache-Control": "private, no-store"}
    return Response(data, media_type=media_type, headers=headers)
