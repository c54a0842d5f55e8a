"""Requests made up from the service's own OpenAPI, right ones and wrong ones.

    python -m tests.fuzz.api --seconds 600 --seed 1

No answer may be a fault of the service, none may break its own schema, and what
breaks the schema of a request must be refused.
"""

from __future__ import annotations

import argparse
import base64
import json
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import (
    CheckFunction,
    not_a_server_error,
)
from schemathesis.core.result import Ok
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks as openapi_checks

from tests.faces import Faces, faces
from tests.integration.api_client import enrol
from tests.pictures import encoded, rgb
from tests.running import running_service

IDENTITY = "him"
_IMAGES = ("image", "image_a", "image_b", "images")
NDJSON = "application/x-ndjson"
_CHECKS: list[CheckFunction] = [
    not_a_server_error,
    openapi_checks.status_code_conformance,
    openapi_checks.content_type_conformance,
    openapi_checks.response_headers_conformance,
    openapi_checks.response_schema_conformance,
]


@schemathesis.serializer(NDJSON)
def _lines(_context: Any, value: Any) -> bytes:
    """A batch of one item, between two that are none."""
    return b"%s\n[]\n" % json.dumps(value).encode()


Operation = APIOperation[Any, Any, Any, Any]
Case = schemathesis.Case[Any]


@dataclass
class Api:
    """A running service, what it says it answers, and what it did answer.

    Attributes:
        pictures: Of faces; in place of made-up images in some of the requests.
        answers: How often each status came.
    """

    url: str
    pictures: Sequence[bytes]
    answers: Counter[int] = field(default_factory=Counter)

    def specification(self) -> dict[str, Any]:
        """What the service says of itself."""
        found: dict[str, Any] = httpx.get(f"{self.url}/openapi.json").json()
        return found

    def operations(self, specification: dict[str, Any]) -> list[Operation]:
        """Each address and method of a specification."""
        schema = schemathesis.openapi.from_dict(specification)
        schema.config.update(base_url=self.url)
        return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]

    def try_out(self, operation: Operation, *, examples: int, chance: int) -> None:
        """Sends right and wrong requests, by halves.

        Raises:
            schemathesis.errors.SchemathesisError, AssertionError: With the request that failed.
        """
        enrol_him(self.url, self.pictures[0])
        # A part of an address is any text, so without a body or a query nothing can be wrong.
        can_be_wrong = len(operation.body) or len(operation.query)
        modes = list(GenerationMode) if can_be_wrong else [GenerationMode.POSITIVE]
        for mode in modes:

            @seed(chance)
            @settings(
                max_examples=examples // 2,
                deadline=None,
                database=None,
                phases=[Phase.generate, Phase.shrink],
                suppress_health_check=list(HealthCheck),
            )
            @given(operation.as_strategy(mode), st.integers(0, 7))
            def send(case: Case, choice: int) -> None:
                self._sharpen(case, choice)
                response = case.call()
                self.answers[response.status_code] += 1
                case.validate_response(response, checks=self._checks(case))
                if case.media_type == NDJSON and response.status_code == 200:
                    assert all(line["status"] < 500 for line in _items(response.text))
                assert response.headers["x-request-id"]

            send()

    @property
    def said(self) -> str:
        return f"{self.answers.total()} requests: {dict(sorted(self.answers.items()))}"

    @staticmethod
    def _checks(case: Case) -> list[CheckFunction]:
        # A form has text alone: what is no number, or an empty list, cannot be told in it. Of a
        # batch each line has its own status.
        told_otherwise = case.media_type in ("multipart/form-data", NDJSON)
        return _CHECKS if told_otherwise else [*_CHECKS, openapi_checks.negative_data_rejection]

    def _sharpen(self, case: Case, choice: int) -> None:
        """Real faces and a known identity, in half of the cases: random ones end at the door."""
        if choice >= 4:
            return
        if "identity" in (case.path_parameters or {}):
            case.path_parameters["identity"] = IDENTITY
        if not isinstance(case.body, dict):
            return
        if isinstance(case.body.get("identity"), str) and choice % 2:
            case.body["identity"] = IDENTITY
        picture: Any = self.pictures[choice % len(self.pictures)]
        if case.media_type in ("application/json", NDJSON):
            picture = base64.b64encode(picture).decode()
        for name in _IMAGES:
            if name in case.body:
                case.body[name] = _replaced(case.body[name], picture)


def _items(text: str) -> list[dict[str, Any]]:
    # Not `splitlines`: a text may hold other ends of lines, which JSON need not escape.
    return [json.loads(line) for line in text.split("\n") if line]


def _replaced(value: Any, picture: Any) -> Any:
    """The picture, unless there is none where one is due: that shall stay wrong."""
    if isinstance(value, list):
        return [_replaced(item, picture) for item in value[:3]]
    return value if value is None or isinstance(value, (bool, int, float, dict)) else picture


def enrol_him(url: str, picture: bytes) -> None:
    with httpx.Client(base_url=url, timeout=60) as client:
        enrol(client, IDENTITY, picture)


def pictures(found: Faces) -> list[bytes]:
    """Small, so that many requests can be sent."""
    names = ("obama.jpg", "biden.jpg", "astronaut.png")
    return [encoded(rgb(found.read(name))[::2, ::2], "JPEG") for name in names]


def main() -> None:
    parser = argparse.ArgumentParser(description="Requests made up from OpenAPI.")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    until, chance = time.monotonic() + asked.seconds, asked.seed
    with (
        tempfile.TemporaryDirectory() as folder,
        running_service(Path(folder), artifact="models/sface", serve_images=True) as url,
    ):
        api = Api(url, pictures(faces()))
        while time.monotonic() < until:
            for operation in api.operations(api.specification()):
                api.try_out(operation, examples=100, chance=chance)
            chance += 1
            print(api.said, flush=True)


if __name__ == "__main__":
    main()
