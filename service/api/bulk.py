"""Routes of many pictures in one request."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from service.api.batch import begun
from service.api.batch_schemas import EnrolItemOut, VerifyItemOut
from service.api.body import openapi_body
from service.api.documented import BODY, NDJSON, problems
from service.api.requests import EnrolRequest, VerifyRequest
from service.api.work import enrolled, verified

router = APIRouter(tags=["batches"])

_ID = {
    "type": "string",
    "maxLength": 128,
    "description": "Of your own; comes back with the item's answer.",
}


def _lines(kind: type[BaseModel], files: tuple[str, ...]) -> dict[str, Any]:
    """The request body for OpenAPI: what each line is."""
    schema = openapi_body(kind, files)["requestBody"]["content"]["application/json"]["schema"]
    schema = schema | {
        "properties": {"id": _ID, **schema["properties"]},
        "description": "Each line of the body, as JSON; lines end with a newline.",
    }
    return {"requestBody": {"required": True, "content": {NDJSON: {"schema": schema}}}}


def _responses(answer: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    return {
        200: {
            "model": answer,
            "content": {NDJSON: {}},
            "description": "A line for each item, in their order.",
        },
        **problems(*BODY, "overloaded"),
    }


@router.post(
    "/v1/verify/batch",
    response_class=Response,
    responses=_responses(VerifyItemOut),
    openapi_extra=_lines(VerifyRequest, ("image",)),
)
async def verify_batch(request: Request) -> Response:
    """Many verifications: each line is the JSON of a `POST /v1/verify`, with an `id` if you like.

    The answer has a line for each, in order, as they are done: read while you send. What
    is wrong with an item is in its line; the others are answered all the same.
    """
    return await begun(request, "verify", VerifyRequest, verified)


@router.post(
    "/v1/enroll/batch",
    response_class=Response,
    responses=_responses(EnrolItemOut),
    openapi_extra=_lines(EnrolRequest, ("images",)),
)
async def enroll_batch(request: Request) -> Response:
    """Many enrolments: each line is the JSON of a `POST /v1/enroll`, with an `id` if you like.

    The answer has a line for each, in order, as they are done: read while you send. Each
    item is stored by itself, so that a batch that breaks off leaves what was answered.
    """
    return await begun(
        request, "enroll", EnrolRequest, enrolled, repeated="images", status_code=201
    )
