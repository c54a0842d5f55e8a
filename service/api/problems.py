"""Errors as application/problem+json (RFC 9457), by one table."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from model import image
from model.errors import Overloaded, SemblanceError
from model.quality import Gate
from service.api.arrival import RequestTimeout
from service.api.present import conflict_out, rejected_out
from service.api.schemas import Problem
from service.api.state import running
from service.core import errors

logger = logging.getLogger("semblance")

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:semblance:problem:"
_RETRY_AFTER_S = 1
_MAX_FIELDS_SHOWN = 20
_MAX_NAME_SHOWN = 80


@dataclass(frozen=True)
class Kind:
    """A kind of problem: status, stable code, and a title for people."""

    status: int
    code: str
    title: str
    retry: bool = False


class BodyTooLarge(SemblanceError):
    """The request has more bytes than are accepted; known to the API alone."""


TABLE: dict[type[SemblanceError], Kind] = {
    errors.InvalidRequest: Kind(422, "invalid_request", "The request is not valid"),
    image.UndecodableImage: Kind(422, "undecodable_image", "The image cannot be read"),
    image.ImageTooSmall: Kind(422, "image_too_small", "The image is too small"),
    errors.NoFace: Kind(422, "no_face", "No face was found"),
    errors.SeveralFaces: Kind(422, "several_faces", "Several faces were found"),
    errors.LowQuality: Kind(422, "low_quality", "The face would make a poor reference"),
    errors.NoneAccepted: Kind(422, "none_accepted", "No image was accepted"),
    errors.IdentityConflict: Kind(
        409, "identity_conflict", "The face seems to be of somebody else"
    ),
    RequestTimeout: Kind(408, "request_timeout", "The request came too slowly"),
    errors.UnknownIdentity: Kind(404, "unknown_identity", "The identity is not enrolled"),
    errors.UnknownReference: Kind(404, "unknown_reference", "There is no such reference"),
    errors.IdentityExists: Kind(409, "identity_exists", "The name is taken"),
    errors.ImageNotKept: Kind(404, "image_not_kept", "No picture is kept"),
    errors.ImagesNotServed: Kind(403, "images_not_served", "Stored images are not served"),
    errors.MissingKey: Kind(401, "missing_key", "A key is needed"),
    errors.WrongKey: Kind(401, "wrong_key", "The key opens nothing here"),
    errors.MissingScope: Kind(403, "missing_scope", "The key may not do this"),
    errors.RateLimited: Kind(429, "rate_limited", "The key has no request left", retry=True),
    errors.TooManyFailures: Kind(
        429, "too_many_failures", "Verified in vain too often", retry=True
    ),
    errors.IdentityLocked: Kind(423, "identity_locked", "The identity is locked"),
    errors.MissingLiveness: Kind(403, "missing_liveness", "A live person must be shown"),
    errors.WrongLiveness: Kind(403, "wrong_liveness", "The session or token is not valid here"),
    errors.LivenessExpired: Kind(403, "liveness_expired", "The token came too late"),
    errors.LivenessUsed: Kind(403, "liveness_used", "The token was used before"),
    errors.LivenessMismatch: Kind(403, "liveness_mismatch", "The probe is not who was live"),
    errors.SessionExpired: Kind(403, "session_expired", "The session was begun too late"),
    errors.SessionUsed: Kind(403, "session_used", "The session was used before"),
    errors.DamagedData: Kind(500, "damaged_data", "Stored data cannot be read"),
    errors.ModelMismatch: Kind(409, "model_mismatch", "Enrolled with another model"),
    errors.TooManyReferences: Kind(409, "too_many_references", "Too many references"),
    errors.GalleryTooLarge: Kind(
        507, "gallery_too_large", "The gallery is larger than what is searched"
    ),
    image.ImageTooLarge: Kind(413, "image_too_large", "The image has too many bytes"),
    BodyTooLarge: Kind(413, "request_too_large", "The request has too many bytes"),
    image.TooManyPixels: Kind(413, "too_many_pixels", "The image has too many pixels"),
    image.UnsupportedImageType: Kind(
        415, "unsupported_image_type", "This type of image is not read"
    ),
    Overloaded: Kind(503, "overloaded", "Too much at once", retry=True),
    errors.WrongSiteSession: Kind(403, "wrong_site_session", "The session opens nothing here"),
    errors.SiteSessionExpired: Kind(403, "site_session_expired", "The session is over"),
    errors.NotReady: Kind(503, "not_ready", "Not ready", retry=True),
    errors.StorageFull: Kind(507, "storage_full", "No room to store"),
}
NOT_FOUND = Kind(404, "not_found", "There is nothing at this address")
WRONG_METHOD = Kind(405, "method_not_allowed", "This address does not take this method")
UNSUPPORTED_BODY = Kind(415, "unsupported_media_type", "This kind of body is not read")
HEADERS_TOO_LARGE = Kind(431, "headers_too_large", "The headers have too many bytes")
INTERNAL = Kind(500, "internal_error", "Something went wrong on our side")
BAD_REQUEST = Kind(400, "invalid_request", "The request is not valid")
OTHERS = (NOT_FOUND, WRONG_METHOD, UNSUPPORTED_BODY, HEADERS_TOO_LARGE, INTERNAL)


def rejection(code: str) -> Kind:
    """The kind of an enrolment of one image that was rejected with `code`: always 422."""
    return next(replace(kind, status=422) for kind in TABLE.values() if kind.code == code)


def codes() -> set[str]:
    """Every code that an answer can carry."""
    return {kind.code for kind in (*TABLE.values(), *OTHERS)}


def install(app: FastAPI) -> None:
    """Makes every error of the app a problem."""
    for kind in (SemblanceError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, _answered)


def answer(
    request: Request,
    kind: Kind,
    detail: str,
    headers: Mapping[str, str] | None = None,
    **more: object,
) -> JSONResponse:
    """A problem as an HTTP answer."""
    at_work = getattr(request.state, "at_work", None)
    if at_work is not None:
        at_work.running.core.meters.problems.add(kind.code)
    retry = {"Retry-After": str(_RETRY_AFTER_S)} if kind.retry else {}
    # The rest of a body that came too slowly is not waited for either.
    close = {"Connection": "close"} if kind.status == 408 else {}
    return JSONResponse(
        content_of(kind, detail, getattr(request.state, "request_id", None), **more),
        kind.status,
        {**retry, **(headers or {}), **close},
        media_type=MEDIA_TYPE,
    )


def content_of(
    kind: Kind, detail: str, request_id: str | None, **more: object
) -> dict[str, object]:
    """A problem's JSON."""
    problem = Problem(
        type=TYPE_PREFIX + kind.code,
        title=kind.title,
        status=kind.status,
        code=kind.code,
        detail=detail,
        instance=request_id,
        **more,  # type: ignore[arg-type]  # the fields that a kind adds
    )
    # Optional members are left out; within those that are there, null is a value.
    return {k: v for k, v in problem.model_dump(mode="json").items() if v is not None}


@dataclass(frozen=True)
class Described:
    """An error as a problem.

    Attributes:
        more: Members of its JSON beside the usual ones.
    """

    kind: Kind
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, object] = field(default_factory=dict)


def described(error: Exception, request_id: str, gate: Callable[[], Gate]) -> Described:
    """Any error as a problem; what is a fault of ours is logged.

    Args:
        gate: The one in force; asked for where a picture was refused.
    """
    match error:
        case errors.NoneAccepted() | errors.IdentityConflict():
            # One image, one reason: say it in the code itself.
            kind = TABLE[type(error)]
            if len(error.rejected) == 1 and isinstance(error, errors.NoneAccepted):
                kind = rejection(error.rejected[0].code)
            reasons = sorted({reason for item in error.rejected for reason in item.reasons})
            more = {
                "rejected": [rejected_out(item, gate()) for item in error.rejected],
                "reasons": reasons or None,
                "conflicts": [conflict_out(item) for item in error.conflicts] or None,
            }
            return Described(kind, str(error), more=more)
        case RequestValidationError():
            return _validation(error)
        case HTTPException():
            return _http(error)
        case SemblanceError() if type(error) in TABLE:
            if isinstance(error, errors.DamagedData):
                # Whose they are, the audit log says, under the same id.
                logger.error("request %s: %s", request_id, error)
            more = {"reasons": list(error.reasons)} if isinstance(error, errors.LowQuality) else {}
            return Described(TABLE[type(error)], str(error), _headers(error), more)
    return _unexpected(error, request_id)


async def _answered(request: Request, error: Exception) -> Response:
    request_id = getattr(request.state, "request_id", "-")
    found = described(error, request_id, lambda: running(request).core.policy.gate)
    return answer(request, found.kind, found.detail, found.headers, **found.more)


def _headers(error: Exception) -> dict[str, str]:
    match error:
        case errors.MissingKey() | errors.WrongKey():
            return {"WWW-Authenticate": "Bearer"}
        case errors.RateLimited():
            return {**rate_headers(*error.allowance), "Retry-After": str(error.retry_after_s)}
        case errors.TooManyFailures():
            return {"Retry-After": str(error.retry_after_s)}
        case _:
            return {}


def rate_headers(limit: int, remaining: int, reset_s: int) -> dict[str, str]:
    return {
        "RateLimit-Limit": str(limit),
        "RateLimit-Remaining": str(remaining),
        "RateLimit-Reset": str(reset_s),
    }


def _validation(error: RequestValidationError) -> Described:
    fields = [
        {
            "field": _field_name(item["loc"]),
            "message": str(item["msg"]).removeprefix("Value error, "),
        }
        for item in error.errors()[:_MAX_FIELDS_SHOWN]
    ]
    detail = "; ".join(f"{item['field']}: {item['message']}" for item in fields[:5])
    return Described(TABLE[errors.InvalidRequest], detail, more={"errors": fields})


def _field_name(place: Iterable[object]) -> str:
    """Where in the body, in words; the caller chose them, so not at any length."""
    return ".".join(str(part) for part in place if part != "body")[:_MAX_NAME_SHOWN] or "body"


def _http(error: HTTPException) -> Described:
    kinds = {404: NOT_FOUND, 405: WRONG_METHOD, 415: UNSUPPORTED_BODY}
    kind = kinds.get(error.status_code, BAD_REQUEST)
    return Described(kind, str(error.detail), error.headers or {})


def unexpected(request: Request, error: Exception) -> Response:
    """The answer to a fault of ours; what it was is for the log alone."""
    found = _unexpected(error, getattr(request.state, "request_id", "-"))
    return answer(request, found.kind, found.detail)


def _unexpected(error: Exception, request_id: str) -> Described:
    logger.error("request %s failed", request_id, exc_info=error)
    return Described(INTERNAL, "The log of the service says more under this request id.")
