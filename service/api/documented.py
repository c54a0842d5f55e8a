"""The `responses` of a route for OpenAPI: an example, and its problems."""

from __future__ import annotations

from typing import Any

from service.api.problems import BAD_REQUEST, MEDIA_TYPE, OTHERS, TABLE, TYPE_PREFIX, Kind
from service.api.schemas import Problem

EVERY_ROUTE: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "Any other problem, such as internal_error",
        "model": Problem,
        "content": {MEDIA_TYPE: {}},
    }
}
NDJSON = "application/x-ndjson"
_ACCESS = ("missing_key", "wrong_key", "missing_scope", "rate_limited")
STORED = ("damaged_data", "overloaded", "not_ready", "storage_full")
"""Of every route that looks at what is stored, keys and the audit log included."""
BODY = (
    *(BAD_REQUEST, "invalid_request", "request_too_large", "request_timeout"),
    "unsupported_media_type",
)
"""Of every route that takes a body."""
_IMAGE = ("undecodable_image", "image_too_small", "image_too_large", "too_many_pixels")
PICTURE = (*BODY, *_IMAGE, "unsupported_image_type", "overloaded")
"""Of every route that looks at one picture, or two."""
ONE_FACE = ("no_face", "several_faces")
_OPEN = ("/healthz", "/readyz", "/v1/keys")
_KINDS = {kind.code: kind for kind in (*TABLE.values(), *OTHERS)}


def problems(
    *codes: str | Kind,
    example: dict[str, Any] | None = None,
    success: int = 200,
    guarded: bool = True,
) -> dict[int | str, dict[str, Any]]:
    """Documents the problems that a route can answer with, grouped by status.

    Args:
        codes: By their code, or a kind where a code has several.
        guarded: Whether the route asks for a key.
    """
    by_status: dict[int, list[Kind]] = {}
    for code in dict.fromkeys((*codes, *((*_ACCESS, *STORED) if guarded else ()))):
        kind = _KINDS[code] if isinstance(code, str) else code
        by_status.setdefault(kind.status, []).append(kind)
    answers: dict[int | str, dict[str, Any]] = {
        status: {
            "description": ", ".join(kind.code for kind in kinds),
            "model": Problem,
            "content": {MEDIA_TYPE: {"examples": {kind.code: _example(kind) for kind in kinds}}},
        }
        for status, kinds in sorted(by_status.items())
    }
    if example is not None:
        answers[success] = {"content": {"application/json": {"example": example}}}
    return answers


def as_problem_json(schema: dict[str, Any]) -> dict[str, Any]:
    """Moves the schema of problems, and of lines, to their own media type.

    FastAPI documents a response's model under application/json, whatever is sent.
    """
    for path in schema["paths"].values():
        for operation in path.values():
            for answer in operation["responses"].values():
                content = answer.get("content", {})
                for kind in (MEDIA_TYPE, NDJSON):
                    if kind in content and "application/json" in content:
                        content[kind] |= content.pop("application/json")
    return schema


def with_keys(schema: dict[str, Any]) -> dict[str, Any]:
    """Says how a key is sent, and where one is asked for."""
    schema.setdefault("components", {})["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer"},
        "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    for path, operations in schema["paths"].items():
        if path not in _OPEN:
            for operation in operations.values():
                operation["security"] = [{"bearer": []}, {"header": []}]
    return schema


def _example(kind: Kind) -> dict[str, Any]:
    return {
        "value": {
            "type": TYPE_PREFIX + kind.code,
            "title": kind.title,
            "status": kind.status,
            "code": kind.code,
            "detail": "...",
            "instance": "5f3c0d2e9a4b4c3f8e1d7a6b5c4d3e2f",
        }
    }
