"""Read a request's body: multipart/form-data, or JSON with base64 images.

Only this door is asynchronous; it hands bytes to the synchronous core. Uploads
stay in memory: a temporary file would put a face on the disk.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from service.api.problems import BodyTooLarge
from service.api.state import running
from service.core.enrol import Upload

Parsed = TypeVar("Parsed", bound=BaseModel)

_MAX_FIELDS = 32
_MAX_FILENAME = 255
_MAX_FIELD_BYTES = 16 * 1024


def body_of(kind: type[Parsed], *, repeated: str | None = None) -> Callable[..., Awaitable[Parsed]]:
    """A dependency that reads and checks a body.

    Args:
        kind: The request's model.
        repeated: The field that may come several times in a form.
    """

    async def read(request: Request) -> Parsed:
        settings = running(request).settings
        fields: object
        media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if media_type == "multipart/form-data":
            fields = await _form(request, settings.max_body_bytes, settings.max_images, repeated)
        elif media_type == "application/json":
            fields = await _json(request, settings.max_body_bytes)
        else:
            raise HTTPException(415, "send multipart/form-data or application/json")
        if repeated and isinstance(fields, dict):
            _check_count(fields.get(repeated), repeated, settings.max_images)
        try:
            return kind.model_validate(fields)
        except ValidationError as error:
            # Values stay out: they may hold an image.
            raise RequestValidationError(
                error.errors(include_url=False, include_input=False, include_context=False)
            ) from None

    return read


def openapi_body(kind: type[BaseModel], files: tuple[str, ...]) -> dict[str, Any]:
    """The request body for OpenAPI: the same fields as a form and as JSON.

    Args:
        files: Fields that are images.
    """
    return {
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": _schema(kind, files, {"format": "binary"})},
                "application/json": {
                    "schema": _schema(kind, files, {"contentEncoding": "base64"}),
                },
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


async def _form(
    request: Request, max_bytes: int, max_files: int, repeated: str | None
) -> dict[str, Any]:
    class InMemory(MultiPartParser):
        spool_max_size = max_bytes

    # One more than allowed may come, so that the answer can say how many.
    parser = InMemory(
        request.headers,
        _limited(request, max_bytes),
        max_files=max_files + 1,
        max_fields=_MAX_FIELDS,
        max_part_size=_MAX_FIELD_BYTES,
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise HTTPException(400, error.message) from error
    except (KeyError, ValueError, UnicodeDecodeError) as error:
        raise HTTPException(400, "the form cannot be read") from error
    fields: dict[str, Any] = {}
    for name, value in form.multi_items():
        content = await _content(value)
        if name == repeated:
            fields.setdefault(name, []).append(content)
        elif name in fields:
            raise HTTPException(400, f"the field '{name[:40]}' came twice")
        else:
            fields[name] = content
    return fields


async def _content(value: UploadFile | str) -> Upload | str:
    if isinstance(value, str):
        return value
    # Shown in answers and on the page: what cannot be printed is left out.
    name = "".join(c for c in value.filename or "" if c.isprintable())[:_MAX_FILENAME]
    return Upload(await value.read(), name or None)


async def _json(request: Request, max_bytes: int) -> object:
    body = b"".join([chunk async for chunk in _limited(request, max_bytes)])
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


async def _limited(request: Request, max_bytes: int) -> AsyncGenerator[bytes, None]:
    """The body's chunks; BodyTooLarge as soon as there are too many bytes."""
    too_large = BodyTooLarge(f"at most {max_bytes} bytes are accepted in one request")
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > max_bytes:
        raise too_large
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > max_bytes:
            raise too_large
        yield chunk


def _check_count(values: object, name: str, most: int) -> None:
    if isinstance(values, list) and len(values) > most:
        raise RequestValidationError(
            [{"loc": (name,), "msg": f"at most {most} images at once, found {len(values)}"}]
        )
