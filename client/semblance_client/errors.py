"""What a call may raise.

SemblanceClientError
├── Problem             the service said no, with a stable `code`
├── Unreachable         it did not answer, after all attempts
└── UnexpectedAnswer    something answered, but not as the service does
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import ValidationError

from semblance_client.models.enrolment import Conflict, Rejected


class SemblanceClientError(Exception):
    """All that this package raises about a call."""


class Unreachable(SemblanceClientError):
    pass


class UnexpectedAnswer(SemblanceClientError):
    pass


@dataclass(frozen=True)
class FieldError:
    field: str
    message: str


class Problem(SemblanceClientError):
    """An application/problem+json of the service (RFC 9457).

    Attributes:
        code: Stable, such as "no_face"; docs/errors.md lists all.
        request_id: Under which the service's log says more.
        reasons: What the quality gate objects to.
        rejected, conflicts: Image by image, of an enrolment of which nothing was accepted.
        errors: Field by field, of a request that is not valid.
        retry_after_s: When it may be asked again; None where that was not said.
    """

    def __init__(self, status: int, content: dict[str, Any], retry_after_s: float | None) -> None:
        self.status = status
        self.code = str(content["code"])
        self.title = str(content.get("title", ""))
        self.detail = str(content.get("detail", ""))
        self.request_id: str | None = content.get("instance")
        self.reasons: Sequence[str] = tuple(content.get("reasons") or ())
        self.rejected = tuple(Rejected.model_validate(x) for x in content.get("rejected") or ())
        self.conflicts = tuple(Conflict.model_validate(x) for x in content.get("conflicts") or ())
        self.errors = tuple(FieldError(**item) for item in content.get("errors") or ())
        self.retry_after_s = retry_after_s
        super().__init__(f"{self.code}: {self.detail or self.title}")


def error_of(response: httpx.Response) -> SemblanceClientError:
    """What an answer that is no success says."""
    try:
        content = response.json()
        return Problem(response.status_code, content, retry_after_s(response))
    except (ValueError, KeyError, TypeError, ValidationError):
        # A proxy's page, say. Its text is not ours to show.
        return UnexpectedAnswer(f"status {response.status_code}, and no problem of the service")


def retry_after_s(response: httpx.Response) -> float | None:
    """The header in seconds; the service never sends a date."""
    said = response.headers.get("retry-after", "")
    return float(said) if said.isdigit() else None
