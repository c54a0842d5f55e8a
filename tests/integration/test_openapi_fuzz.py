"""Requests made up from OpenAPI, right and wrong ones; tests.fuzz.api goes on for longer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from schemathesis.core.failures import FailureGroup

from service.app import create_app
from service.settings import Settings
from tests.faces import Faces
from tests.fuzz.api import Api, Operation, pictures
from tests.running import running_service

SEED = 20
FEWER, ALL = {True: 120, False: 30}, {True: 250, False: 60}
"""Of an address that takes a body, and of one that takes none."""

LABELS = [
    f"{method.upper()} {path}"
    for path, operations in create_app(Settings.model_validate({})).openapi()["paths"].items()
    for method in operations
]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, faces: Faces) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("data")
    with running_service(folder, artifact="models/sface", serve_images=True) as url:
        yield Api(url, pictures(faces))


@pytest.fixture(scope="module")
def specification(api: Api) -> dict[str, Any]:
    return api.specification()


def operation(api: Api, specification: dict[str, Any], label: str) -> Operation:
    return next(found for found in api.operations(specification) if found.label == label)


@pytest.mark.parametrize("examples", [FEWER, pytest.param(ALL, marks=pytest.mark.long)])
@pytest.mark.parametrize("label", LABELS)
def test_no_fault_of_ours_and_no_answer_unlike_its_schema(
    api: Api, specification: dict[str, Any], label: str, examples: dict[bool, int]
) -> None:
    found = operation(api, specification, label)
    before = api.answers.total()
    api.try_out(found, examples=examples[len(found.body) > 0], chance=SEED)
    print(api.said)
    # Addresses that take nothing are asked once.
    assert api.answers.total() > before


def test_requests_went_past_the_door(api: Api) -> None:
    """Both outcomes came about: faces were found and identities enrolled, and not always."""
    assert api.answers[200] > 100
    assert api.answers[201] > 0
    assert api.answers[422] > 100
    assert not [status for status in api.answers if status >= 500]


@pytest.mark.parametrize(
    ("label", "schema", "name", "wrong"),
    [
        ("POST /v1/detect", "DetectOut", "width", {"type": "string"}),
        ("GET /healthz", "HealthOut", "status", {"const": "well"}),
    ],
)
def test_an_answer_unlike_its_schema_is_noticed(
    api: Api, label: str, schema: str, name: str, wrong: dict[str, str]
) -> None:
    """Held against a specification that says something else."""
    false = api.specification()
    false["components"]["schemas"][schema]["properties"][name] = wrong
    with pytest.raises((FailureGroup, AssertionError)):
        api.try_out(operation(api, false, label), examples=60, chance=SEED)
