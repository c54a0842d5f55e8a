"""The kept specification is current, and breaks nobody who wrote to the released one."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from service.commands.openapi import specification
from tests.openapi_changes import breaking_changes
from tests.running import ROOT

Json = dict[str, Any]


@pytest.fixture(scope="module")
def released() -> Json:
    found: Json = json.loads((ROOT / "docs" / "openapi-released.json").read_text(encoding="utf-8"))
    return found


def test_the_kept_specification_is_current() -> None:
    kept = (ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")
    assert kept == specification(), "run `make openapi`, and look at what changed"


def test_nothing_that_was_released_is_broken(released: Json) -> None:
    current = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
    assert breaking_changes(released, current) == []


def _schema(spec: Json, name: str) -> Json:
    found: Json = spec["components"]["schemas"][name]
    return found


def _body(spec: Json, path: str) -> Json:
    content = spec["paths"][path]["post"]["requestBody"]["content"]
    found: Json = content["application/json"]["schema"]
    return found


def _gone_route(spec: Json) -> None:
    del spec["paths"]["/v1/compare"]


def _gone_field(spec: Json) -> None:
    del _schema(spec, "VerifyOut")["properties"]["verified"]
    _schema(spec, "VerifyOut")["required"].remove("verified")


def _gone_deep_field(spec: Json) -> None:
    del _schema(spec, "Box")["properties"]["width"]


def _new_required_field(spec: Json) -> None:
    body = _body(spec, "/v1/verify")
    body["properties"]["reason"] = {"type": "string"}
    body["required"].append("reason")


def _required_now(spec: Json) -> None:
    _body(spec, "/v1/verify")["required"].append("fmr")


def _narrowed_enum(spec: Json) -> None:
    _body(spec, "/v1/verify")["properties"]["faces"]["enum"].remove("center")


def _narrowed_bound(spec: Json) -> None:
    for item in spec["paths"]["/v1/identities"]["get"]["parameters"]:
        if item["name"] == "limit":
            item["schema"]["maximum"] = 10


def _gone_parameter(spec: Json) -> None:
    listing = spec["paths"]["/v1/identities"]["get"]
    listing["parameters"] = [x for x in listing["parameters"] if x["name"] != "cursor"]


def _other_type(spec: Json) -> None:
    _schema(spec, "VerifyOut")["properties"]["matched"]["type"] = "string"


def _null_now(spec: Json) -> None:
    properties = _schema(spec, "VerifyOut")["properties"]
    properties["share"] = {"anyOf": [properties["share"], {"type": "null"}]}


def _other_status(spec: Json) -> None:
    answers = spec["paths"]["/v1/enroll"]["post"]["responses"]
    answers["200"] = answers.pop("201")


def _form_gone(spec: Json) -> None:
    del spec["paths"]["/v1/enroll"]["post"]["requestBody"]["content"]["multipart/form-data"]


def _required_parameter(spec: Json) -> None:
    spec["paths"]["/v1/model"]["get"]["parameters"] = [
        {"in": "query", "name": "language", "required": True, "schema": {"type": "string"}}
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_gone_route, "POST /v1/compare: gone"),
        (_gone_field, "POST /v1/verify: answer.verified: gone"),
        (_gone_deep_field, "POST /v1/detect: answer.faces[].box.width: gone"),
        (_new_required_field, "POST /v1/verify: body.reason: demanded"),
        (_required_now, "POST /v1/verify: body.fmr: demanded"),
        (_narrowed_enum, "POST /v1/verify: body.faces: narrowed"),
        (_narrowed_bound, "GET /v1/identities: parameter limit: narrowed"),
        (_gone_parameter, "GET /v1/identities: parameter cursor: gone"),
        (_required_parameter, "GET /v1/model: parameter language: demanded"),
        (_other_type, "POST /v1/verify: answer.matched: widened"),
        (_null_now, "POST /v1/verify: answer.share: widened"),
        (_other_status, "POST /v1/enroll: status 201: gone"),
        (_form_gone, "POST /v1/enroll: bodies of multipart/form-data: gone"),
    ],
)
def test_a_change_that_breaks_callers_is_noticed(
    released: Json, change: Callable[[Json], None], said: str
) -> None:
    changed = copy.deepcopy(released)
    change(changed)
    found = breaking_changes(released, changed)
    assert any(line.startswith(said) for line in found), found


def _new_route(spec: Json) -> None:
    spec["paths"]["/v1/new"] = spec["paths"]["/v1/detect"]


def _new_answer_field(spec: Json) -> None:
    _schema(spec, "VerifyOut")["properties"]["more"] = {"type": "string"}
    _schema(spec, "VerifyOut")["required"].append("more")


def _new_optional_field(spec: Json) -> None:
    _body(spec, "/v1/verify")["properties"]["more"] = {"type": "string"}


def _more_values(spec: Json) -> None:
    _body(spec, "/v1/verify")["properties"]["faces"]["enum"].append("smallest")


def _looser_bound(spec: Json) -> None:
    for item in spec["paths"]["/v1/identities"]["get"]["parameters"]:
        if item["name"] == "limit":
            item["schema"]["maximum"] = 5000


@pytest.mark.parametrize(
    "change", [_new_route, _new_answer_field, _new_optional_field, _more_values, _looser_bound]
)
def test_a_change_that_breaks_nobody_is_let_through(
    released: Json, change: Callable[[Json], None]
) -> None:
    changed = copy.deepcopy(released)
    change(changed)
    assert changed != released
    assert breaking_changes(released, changed) == []
