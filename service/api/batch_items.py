"""One item of a batch: from its line to the line of its answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from pydantic_core import to_json

from service.api.body import json_of, validated
from service.api.problems import content_of, described
from service.api.state import Running

Work = Callable[[Any, Running], object]
"""What is done for a request, and the content of its answer."""

_MAX_ID: Final = 128


@dataclass(frozen=True)
class Item:
    """How each item of a batch is answered; called from worker threads.

    Attributes:
        kind: The request's model.
        repeated: Its field that may hold several images.
        status_code: Of an answer that is no problem.
    """

    kind: type[BaseModel]
    work: Work
    running: Running
    repeated: str | None
    status_code: int

    def count(self) -> None:
        """Counts one for its key, as any request. Raises WrongKey, RateLimited."""
        keeper, key_id = self.running.doorkeeper, self.running.caller.key_id
        if keeper is not None and key_id is not None:
            keeper.count(keeper.of_id(key_id))

    def answered(self, index: int, line: bytes) -> bytes:
        """The line of the answer, whatever becomes of it."""
        name = None
        try:
            fields = json_of(line)
            if isinstance(fields, dict) and "id" in fields:
                name = _id(fields.pop("id"))
            body = validated(self.kind, fields, self.running.settings, self.repeated)
            result = self.work(body, self.running)
        except Exception as error:  # one bad item spoils no other
            return self.failed(index, name, error)
        return _line({"index": index, "id": name, "status": self.status_code, "result": result})

    def failed(self, index: int, name: str | None, error: Exception) -> bytes:
        """The line of an answer that is a problem."""
        running = self.running
        request_id = running.request_id or "-"
        found = described(error, request_id, lambda: running.core.policy.gate)
        problem = content_of(found.kind, found.detail, running.request_id, **found.more)
        return _line({"index": index, "id": name, "status": found.kind.status, "problem": problem})


def _id(value: object) -> str:
    if not isinstance(value, str) or len(value) > _MAX_ID:
        message = f"must be a text of at most {_MAX_ID} characters"
        raise RequestValidationError([{"loc": ("id",), "msg": message}])
    return value


def _line(content: dict[str, object]) -> bytes:
    return to_json(content, inf_nan_mode="null") + b"\n"
