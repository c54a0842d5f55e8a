"""What the documents say about settings, routes and problems is true and whole."""

from __future__ import annotations

import re
from typing import Any

import pytest

from model.quality import BOUNDS, Reason
from service.api.problems import OTHERS, TABLE
from service.app import create_app
from service.settings import OTHER_VARIABLES, PREFIX, Settings
from tests.running import ROOT

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture(scope="module")
def text() -> str:
    """The README and the pages of docs/ (the decisions are history, not reference)."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return "\n".join(page.read_text(encoding="utf-8") for page in pages)


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    return create_app(Settings.model_validate({})).openapi()


def operations(openapi: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    }


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented_with_its_default(text: str, name: str) -> None:
    field = Settings.model_fields[name]
    default = "" if field.default in (None, ()) else str(field.default)
    shown = {"False": "false", "True": "true"}.get(default, default)
    rows = re.findall(rf"^\| `{PREFIX}{name.upper()}` \| (.*?) \| (.*?) \|$", text, re.MULTILINE)
    assert rows, f"{PREFIX}{name.upper()} is in no table"
    ((said, meaning),) = rows
    assert said.strip(" `") == shown
    assert meaning == field.description


def test_no_setting_is_documented_that_is_none(text: str) -> None:
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(rf"{PREFIX}[A-Z_]+[A-Z]", text)) <= known | OTHER_VARIABLES


def test_every_route_is_documented(text: str, openapi: dict[str, Any]) -> None:
    for method, path in operations(openapi):
        assert f"`{method} {path}`" in text, f"{method} {path}"
    for extra in ("= `/enroll`", "= `/verify`", "`GET /docs`"):
        assert extra in text


def test_no_route_is_documented_that_is_none(text: str, openapi: dict[str, Any]) -> None:
    named = set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`]*)`", text))
    known = {f"{method} {path}" for method, path in operations(openapi)}
    assert named <= known | {"POST /enroll", "POST /verify", "GET /docs", "GET /"}


def test_every_problem_is_documented_with_its_status(text: str) -> None:
    rows = {
        code: int(status)
        for status, code in re.findall(r"^\| (\d{3}) \| `(\w+)` \|", text, re.MULTILINE)
    }
    assert rows == {kind.code: kind.status for kind in (*TABLE.values(), *OTHERS)}


def test_every_reason_of_the_gate_is_documented(text: str) -> None:
    for reason in Reason:
        assert f"`{reason}`" in text


def test_openapi_describes_every_route(openapi: dict[str, Any]) -> None:
    assert len(operations(openapi)) >= 12
    for (method, path), operation in operations(openapi).items():
        assert operation.get("description"), f"{method} {path}"
        success = next(r for status, r in operation["responses"].items() if status[0] == "2")
        if "204" not in operation["responses"] and not path.endswith(("/image", "/metrics")):
            kind = "application/x-ndjson" if path.endswith("/batch") else "application/json"
            assert "$ref" in success["content"][kind]["schema"]


def test_openapi_shows_an_example_of_what_the_main_routes_answer(openapi: dict[str, Any]) -> None:
    for path, status in (
        ("enroll", "201"),
        ("verify", "200"),
        ("compare", "200"),
        ("detect", "200"),
    ):
        answer = openapi["paths"][f"/v1/{path}"]["post"]["responses"][status]
        assert answer["content"]["application/json"]["example"]


def test_openapi_shows_problems_as_they_are_sent(openapi: dict[str, Any]) -> None:
    for (method, path), operation in operations(openapi).items():
        for status, answer in operation["responses"].items():
            if status[0] != "2":
                assert "application/problem+json" in answer["content"], f"{method} {path} {status}"
    # FastAPI's own shape of a wrong field is not what this service sends.
    assert "HTTPValidationError" not in openapi["components"]["schemas"]


def test_openapi_gives_the_range_of_thresholds(openapi: dict[str, Any]) -> None:
    body = openapi["paths"]["/v1/verify"]["post"]["requestBody"]["content"]
    for kind in ("multipart/form-data", "application/json"):
        properties = body[kind]["schema"]["properties"]
        number = properties["detection_threshold"]["anyOf"][0]
        assert (number["minimum"], number["maximum"]) == (0, 1)
        assert properties["faces"]["enum"] == ["error", "largest", "center"]


def test_the_bounds_of_the_gate_are_as_documented() -> None:
    text = (ROOT / "docs" / "enrolment.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| .* \| `(\w+)` \| (.* \| .*) \|$", text, re.MULTILINE))
    standard, strict = BOUNDS["standard"], BOUNDS["strict"]
    fields = {
        Reason.FACE_TOO_SMALL: "face_size_px",
        Reason.LOW_CONFIDENCE: "confidence",
        Reason.BLURRED: "sharpness",
        Reason.TOO_DARK: "darkest",
        Reason.TOO_BRIGHT: "brightest",
        Reason.EXTREME_POSE: "pose",
        Reason.FACE_CUT_OFF: "visible",
    }
    assert rows == {
        reason: f"{getattr(standard, field):g} | {getattr(strict, field):g}"
        for reason, field in fields.items()
    }
