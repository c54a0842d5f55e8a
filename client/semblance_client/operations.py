"""Every operation of the service's OpenAPI that this package calls.

A test of the project holds this list against the specification.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Generic, TypeVar, cast
from urllib.parse import quote

from pydantic import ValidationError

from semblance_client import models
from semblance_client.errors import UnexpectedAnswer
from semblance_client.pictures import FilePart
from semblance_client.retries import Repeat

Answer = TypeVar("Answer")
NDJSON: Final = "application/x-ndjson"


@dataclass(frozen=True)
class Operation(Generic[Answer]):
    """One route.

    Attributes:
        name: Of the client's method.
        kind: Of what is answered: a model; bytes or str as they come; NoneType where
            nothing comes.
        reader: From the bytes of a success to the answer; raises UnexpectedAnswer.
        sends_lines: Whether its body is NDJSON.
    """

    name: str
    method: str
    path: str
    kind: type[Any]
    repeat: Repeat
    reader: Callable[[bytes], Answer]
    sends_lines: bool = False


def _one(
    name: str, method: str, path: str, kind: type[Answer], repeat: Repeat
) -> Operation[Answer]:
    return Operation(name, method, path, kind, repeat, partial(_read, kind))


def _many(
    name: str, method: str, path: str, kind: type[Answer], repeat: Repeat
) -> Operation[list[Answer]]:
    """Answers with one model a line, to items of which each is a line."""

    def read(content: bytes) -> list[Answer]:
        return [_read(kind, line) for line in content.splitlines() if line.strip()]

    return Operation(name, method, path, kind, repeat, read, sends_lines=True)


def _read(kind: type[Answer], content: bytes) -> Answer:
    shown: Any = None
    if issubclass(kind, models.Model):
        try:
            shown = kind.model_validate_json(content)
        except ValidationError as error:
            raise UnexpectedAnswer(
                f"the answer is no {kind.__name__}: {error.error_count()} fields are wrong"
            ) from None
    elif kind is not type(None):
        shown = content if issubclass(kind, bytes) else content.decode()
    return cast(Answer, shown)


@dataclass(frozen=True)
class Call(Generic[Answer]):
    """One request, complete, so that it can be sent again.

    Attributes:
        at: What stands in the place of the path's names.
        fields, files: Of a form.
        content: Of a body that is none, nor JSON.
    """

    operation: Operation[Answer]
    at: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str | int] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    files: Sequence[FilePart] = ()
    json: Mapping[str, object] | None = None
    content: bytes | None = None

    def request(self) -> dict[str, Any]:
        """As httpx takes it."""
        return {
            "method": self.operation.method,
            "url": self.path,
            "params": dict(self.params),
            "data": dict(self.fields) or None,
            "files": list(self.files) or None,
            "json": self.json,
            "content": self.content,
            "headers": {"Content-Type": NDJSON} if self.operation.sends_lines else None,
        }

    @property
    def path(self) -> str:
        quoted = {name: quote(value, safe="") for name, value in self.at.items()}
        return self.operation.path.format(**quoted)


_ANY, _UNDONE, _NEVER_IN = Repeat.ANY, Repeat.UNDONE, Repeat.NEVER_IN
_ONE = "/v1/identities/{identity}"
_REFERENCE = f"{_ONE}/references/{{reference_id}}"

ENROLL = _one("enroll", "POST", "/v1/enroll", models.Enrolment, _ANY)
VERIFY = _one("verify", "POST", "/v1/verify", models.Verification, _UNDONE)
COMPARE = _one("compare", "POST", "/v1/compare", models.Comparison, _ANY)
DETECT = _one("detect", "POST", "/v1/detect", models.Detection, _ANY)
IDENTIFY = _one("identify", "POST", "/v1/identify", models.Identification, _ANY)
EMBEDDINGS = _one("embeddings", "POST", "/v1/embeddings", models.Embeddings, _ANY)
VERIFY_BATCH = _many("verify_batch", "POST", "/v1/verify/batch", models.VerifiedItem, _UNDONE)
ENROLL_BATCH = _many("enroll_batch", "POST", "/v1/enroll/batch", models.EnrolledItem, _ANY)
LIST = _one("list_identities", "GET", "/v1/identities", models.IdentityPage, _ANY)
GET = _one("get_identity", "GET", _ONE, models.IdentityDetail, _ANY)
RENAME = _one("rename_identity", "POST", f"{_ONE}/rename", models.IdentityDetail, _NEVER_IN)
MERGE = _one("merge_identity", "POST", f"{_ONE}/merge", models.IdentityDetail, _NEVER_IN)
UNLOCK = _one("unlock_identity", "POST", f"{_ONE}/unlock", type(None), _ANY)
DELETE = _one("delete_identity", "DELETE", _ONE, models.Deleted, _NEVER_IN)
DELETE_REFERENCE = _one("delete_reference", "DELETE", _REFERENCE, type(None), _NEVER_IN)
IMAGE = _one("get_image", "GET", f"{_REFERENCE}/image", bytes, _ANY)
LIVENESS = _one("begin_liveness", "POST", "/v1/liveness/sessions", models.LivenessSession, _UNDONE)
SITE_SESSION = _one("begin_site_session", "POST", "/v1/verify/sessions", models.SiteSession, _ANY)
KEYS = _one("get_keys", "GET", "/v1/keys", models.KeySet, _ANY)
MODEL = _one("get_model", "GET", "/v1/model", models.FaceModel, _ANY)
METRICS = _one("metrics", "GET", "/metrics", str, _ANY)
HEALTHZ = _one("healthz", "GET", "/healthz", models.Health, _ANY)
READYZ = _one("readyz", "GET", "/readyz", models.Health, _ANY)

ALL: tuple[Operation[Any], ...] = (
    *(ENROLL, VERIFY, COMPARE, DETECT, IDENTIFY, EMBEDDINGS, VERIFY_BATCH, ENROLL_BATCH),
    *(LIST, GET, RENAME, MERGE, UNLOCK, DELETE, DELETE_REFERENCE, IMAGE),
    *(LIVENESS, SITE_SESSION, KEYS, MODEL, METRICS, HEALTHZ, READYZ),
)
