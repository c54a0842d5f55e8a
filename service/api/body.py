"""A request's body: multipart/form-data, or JSON with base64 images.

Only the reading is asynchronous. What was read is taken apart in the thread that
works on it: a large one would keep everybody else waiting. Uploads stay in
memory: a temporary file would put a face on the disk.
"""

from __future__ import annotations

import json
from typing import Any, Final, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException

from service.api.arrival import Arrival
from service.api.form import BadForm, form_fields
from service.api.problems import BodyTooLarge
from service.settings import Settings

Parsed = TypeVar("Parsed", bound=BaseModel)

_FORM = "multipart/form-data"
_JSON = "application/json"
_MAX_JSON_SIGNS: Final = 2000
"""Of `,` `[` and `{` in a JSON body: each may begin an object of some fifty bytes, and
what is asked for has a few dozen."""


async def read_body(request: Request, max_bytes: int, arrival: Arrival) -> list[bytes]:
    """The body in pieces, as they came.

    Raises:
        HTTPException: If it is of a kind that is not read, or packed.
        BodyTooLarge: As soon as there are too many bytes.
        RequestTimeout: If they come too slowly.
        ClientDisconnect: If the caller left before the end.
    """
    if media_type_of(request.headers.get("content-type", "")) not in {_FORM, _JSON}:
        raise HTTPException(415, "send multipart/form-data or application/json")
    check_codings(request)
    too_large = BodyTooLarge(f"at most {max_bytes} bytes are accepted in one request")
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > max_bytes:
        raise too_large
    pieces = []
    async with arrival.in_time():
        async for piece in request.stream():
            arrival.add(len(piece))
            if arrival.received_bytes > max_bytes:
                raise too_large
            pieces.append(piece)
    return pieces


def parsed(
    kind: type[Parsed],
    content_type: str,
    pieces: list[bytes],
    settings: Settings,
    repeated: str | None,
) -> Parsed:
    """The request that a body holds.

    Args:
        kind: The request's model.
        pieces: From `read_body`. Emptied, so that a picture is in memory once when
            this returns.
        repeated: The field that may come several times in a form.

    Raises:
        HTTPException: If it is no form or no JSON.
        RequestValidationError: If it is no such request.
    """
    body = b"".join(pieces)
    pieces.clear()
    if media_type_of(content_type) == _FORM:
        fields: object = _form(content_type, body, settings.max_images, repeated)
    else:
        fields = json_of(body)
    return validated(kind, fields, settings, repeated)


def validated(
    kind: type[Parsed], fields: object, settings: Settings, repeated: str | None
) -> Parsed:
    """The request that these fields are.

    Raises:
        RequestValidationError: If they are none.
    """
    if repeated and isinstance(fields, dict):
        _check_count(fields.get(repeated), repeated, settings.max_images)
    try:
        return kind.model_validate(fields)
    except ValidationError as error:
        # Values stay out: they may hold an image.
        raise RequestValidationError(
            error.errors(include_url=False, include_input=False, include_context=False)
        ) from None


def openapi_body(kind: type[BaseModel], files: tuple[str, ...]) -> dict[str, Any]:
    """The request body for OpenAPI: the same fields as a form and as JSON.

    Args:
        files: Fields that are images.
    """
    return {
        "requestBody": {
            "required": True,
            "content": {
                _FORM: {"schema": _schema(kind, files, {"format": "binary"})},
                _JSON: {"schema": _schema(kind, files, {"contentEncoding": "base64"})},
            },
        }
    }


def _schema(kind: type[BaseModel], files: tuple[str, ...], image: dict[str, str]) -> dict[str, Any]:
    schema = kind.model_json_schema()
    for name in files:
        picture = {"type": "string", **image}
        inner = schema["properties"][name]
        is_list = inner.get("type") == "array"
        schema["properties"][name] = (
            {"type": "array", "items": picture, "minItems": 1} if is_list else picture
        )
    return schema


def media_type_of(content_type: str) -> str:
    """Without its parameters, in small letters."""
    return content_type.split(";", maxsplit=1)[0].strip().lower()


def check_codings(request: Request) -> None:
    """Nothing is unpacked: a few bytes could become gigabytes, and pictures are packed."""
    for name, plain in (("content-encoding", "identity"), ("transfer-encoding", "chunked")):
        coding = ", ".join(request.headers.getlist(name)).strip().lower()
        if coding not in {"", plain}:
            raise HTTPException(
                415,
                f"send the body as it is, without {name.title()}; it would not be unpacked",
                {"Accept-Encoding": "identity"},
            )


def _form(content_type: str, body: bytes, max_files: int, repeated: str | None) -> dict[str, Any]:
    try:
        # One more than allowed may come, so that the answer can say how many.
        found = form_fields(content_type, body, max_files + 1)
    except BadForm as error:
        raise HTTPException(400, str(error)) from error
    fields: dict[str, Any] = {}
    for name, content in found:
        if name == repeated:
            fields.setdefault(name, []).append(content)
        elif name in fields:
            raise HTTPException(400, f"the field '{name[:40]}' came twice")
        else:
            fields[name] = content
    return fields


def json_of(body: bytes) -> object:
    """Raises HTTPException if it is no JSON, or more than any request."""
    if sum(body.count(sign) for sign in (b",", b"[", b"{")) > _MAX_JSON_SIGNS:
        raise HTTPException(400, "the JSON has more values than any request")
    try:
        return json.loads(body, object_pairs_hook=_once_each)
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "the body is not valid JSON, or a name came twice") from error


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; ValueError if a name came twice, since either could be meant."""
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a name came twice")
    return fields


def _check_count(values: object, name: str, most: int) -> None:
    if isinstance(values, list) and len(values) > most:
        raise RequestValidationError(
            [{"loc": (name,), "msg": f"at most {most} images at once, found {len(values)}"}]
        )
