"""Routes of one face among many, and of its embedding."""

from __future__ import annotations

from fastapi import APIRouter

from service.api import examples
from service.api.audited import audited
from service.api.body import openapi_body
from service.api.documented import ONE_FACE, PICTURE, problems
from service.api.door import DoorRoute, at_the_door
from service.api.present import Json
from service.api.present_search import embeddings_out, identify_out
from service.api.requests import EmbeddingsRequest, IdentifyRequest
from service.api.search_schemas import EmbeddingsOut, IdentifyOut
from service.api.state import Running
from service.core import embeddings as core_embeddings
from service.core import identify as core_identify
from service.core.audit_details import identification_details

router = APIRouter(tags=["search"], route_class=DoorRoute)


@router.post(
    "/v1/identify",
    response_model=IdentifyOut,
    responses=problems(*PICTURE, *ONE_FACE, "gallery_too_large", example=examples.IDENTIFY),
    openapi_extra=openapi_body(IdentifyRequest, ("image",)),
)
@at_the_door(IdentifyRequest, "identify")
def identify(body: IdentifyRequest, running: Running) -> Json:
    """Who of all that are enrolled is it?

    The identities whose best reference scores highest; the first is the answer if its
    score is above the threshold. That is the one measured for a false positive
    identification rate (FPIR), `max_fpir`, among as many references as there are: the more
    are enrolled, the stricter. Nobody is 200 with `identified: false`. While the gallery
    is read into memory, for the first time or after a long pause, it is 503 `not_ready`.
    """
    core = running.core
    with audited(running, "identify") as note:
        result = core_identify.identify(
            core,
            body.image.data,
            candidates=body.candidates,
            max_fpir=body.max_fpir,
            detection=body.detection_threshold,
            choice=body.faces,
        )
        note.outcome = "identified" if result.identity is not None else "not_identified"
        note.subject = result.identity
        note.details = identification_details(result, scores=running.settings.audit_scores)
    return identify_out(result, core.policy.gate, scores=running.sees_scores)


@router.post(
    "/v1/embeddings",
    response_model=EmbeddingsOut,
    responses=problems(*PICTURE, *ONE_FACE, example=examples.EMBEDDINGS),
    openapi_extra=openapi_body(EmbeddingsRequest, ("image",)),
)
@at_the_door(EmbeddingsRequest, "embeddings")
def embeddings(body: EmbeddingsRequest, running: Running) -> Json:
    """The embedding of the one face of an image; nothing is stored.

    An embedding is biometric data: whoever has it can find the person again wherever the
    same model is used. It takes a key of the scope `embeddings`, which no other but
    `admin` includes.
    """
    with audited(running, "embeddings") as note:
        result = core_embeddings.embed(running.core, body.image.data, body.faces)
        note.details = {"models": [one.manifest.fingerprint for one in result.by_model]}
    return embeddings_out(result, running.core.policy.gate)
