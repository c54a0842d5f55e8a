"""Both clients know every operation of OpenAPI, and read every field of its answers."""

from __future__ import annotations

import inspect
import json
import re
import shutil
import subprocess
import types
from collections.abc import Iterator
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest

from semblance_client import AsyncClient, Client, calls, operations
from semblance_client.models import Model
from service.app import create_app
from service.settings import Settings
from tests.running import ROOT

Json = dict[str, Any]
METHODS = {"get", "post", "put", "patch", "delete"}
JAVASCRIPT = ROOT / "client" / "javascript"

# No client of a service needs to ask the service for what its own module is.
NOT_CALLED: set[tuple[str, str]] = set()


@pytest.fixture(scope="module")
def openapi() -> Json:
    return create_app(Settings.model_validate({})).openapi()


def served(openapi: Json) -> dict[tuple[str, str], Json]:
    return {
        (method.upper(), path): operation
        for path, methods in openapi["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    }


def test_each_operation_has_a_method_in_the_python_client(openapi: Json) -> None:
    known = {(item.method, item.path): item.name for item in operations.ALL}
    assert set(served(openapi)) - set(known) == NOT_CALLED
    assert set(known) == set(served(openapi)) | NOT_CALLED
    for name in known.values():
        assert inspect.isfunction(getattr(Client, name)), name
        function = getattr(AsyncClient, name)
        assert inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function), name


def test_both_clients_have_the_same_methods_and_arguments() -> None:
    public = {
        name
        for kind in (Client, AsyncClient)
        for name, _ in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
    }
    for name in public:
        one, other = getattr(Client, name), getattr(AsyncClient, name)
        assert inspect.signature(one).parameters == inspect.signature(other).parameters, name
        assert inspect.getdoc(one) == inspect.getdoc(other), name


def test_each_method_takes_each_field_of_its_request(openapi: Json) -> None:
    for key, operation in served(openapi).items():
        name = next(item.name for item in operations.ALL if (item.method, item.path) == key)
        asked = {item["name"] for item in operation.get("parameters", [])}
        for body in operation.get("requestBody", {}).get("content", {}).values():
            asked |= set(body["schema"].get("properties", {}))
        assert asked - taken(name) == set(), f"{name} does not take {asked - taken(name)}"


def taken(name: str) -> set[str]:
    """Names of the arguments of a method, those of its options included."""
    found: set[str] = set()
    function = getattr(calls, name)
    hints = inspect.get_annotations(function, eval_str=True)
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            (options,) = get_args(hints[parameter.name])
            found |= set(get_type_hints(options))
        elif parameter.name == "items":
            # Of a batch: each item is what a single request is.
            (item,) = get_args(hints[parameter.name])
            found |= set(get_type_hints(item))
        else:
            found.add(parameter.name)
    return found


def test_each_model_has_the_fields_of_its_schema(openapi: Json) -> None:
    by_key = {(item.method, item.path): item for item in operations.ALL}
    schemas = openapi["components"]["schemas"]
    compared: set[tuple[str, str]] = set()
    for key, operation in served(openapi).items():
        answer = by_key[key].kind
        if not issubclass(answer, Model):
            continue
        success = next(a for status, a in operation["responses"].items() if status[0] == "2")
        (content,) = success["content"].values()
        schema = content["schema"]
        faults = list(differences(schema, answer, schemas, compared, key[1]))
        assert faults == []
    # That the walk went down: from a verdict to the corner of a box.
    assert len(compared) > 25


def differences(
    schema: Json, kind: Any, schemas: dict[str, Json], compared: set[tuple[str, str]], at: str
) -> Iterator[str]:
    """Where a model's field is not what the specification says."""
    kinds, options = parts(kind), schema.get("anyOf", [schema])
    nullable = any(option.get("type") == "null" for option in options)
    if nullable != (type(None) in kinds):
        yield f"{at}: null"
    kinds = [one for one in kinds if one is not type(None)]
    for option in (option for option in options if option.get("type") != "null"):
        if "$ref" in option:
            yield from _of_model(option["$ref"].rsplit("/", 1)[1], kinds, schemas, compared, at)
        elif "enum" in option or "const" in option:
            values = set(option.get("enum", [option.get("const")]))
            if kinds != [str] and set().union(*map(get_args, kinds)) != values:
                yield f"{at}: {values}"
        elif option["type"] == "array" and "items" in option:
            yield from differences(option["items"], get_args(kinds[0])[0], schemas, compared, at)
        elif option["type"] in {"number", "integer", "boolean"}:
            expected = {"number": float, "integer": int, "boolean": bool}[option["type"]]
            if kinds != [expected]:
                yield f"{at}: {kinds} for {option['type']}"


def _of_model(
    name: str, kinds: list[Any], schemas: dict[str, Json], compared: set[tuple[str, str]], at: str
) -> Iterator[str]:
    (kind,) = kinds
    if (name, kind.__name__) in compared:
        return
    compared.add((name, kind.__name__))
    properties = schemas[name]["properties"]
    if set(properties) != set(kind.model_fields):
        yield f"{at}: {set(properties) ^ set(kind.model_fields)}"
        return
    for field, inner in properties.items():
        annotation = kind.model_fields[field].annotation
        yield from differences(inner, annotation, schemas, compared, f"{at}.{field}")


def parts(kind: Any) -> list[Any]:
    if get_origin(kind) in {Union, types.UnionType}:
        return [part for one in get_args(kind) for part in parts(one)]
    return [kind]


def test_a_field_that_is_missing_or_of_another_type_is_noticed(openapi: Json) -> None:
    schemas = openapi["components"]["schemas"]

    class Point(Model):
        x: int
        z: float

    class Threshold(Model):
        value: float | None
        source: Literal["request"]

    def found(name: str, kind: type[Model]) -> list[str]:
        reference = {"$ref": f"#/components/schemas/{name}"}
        return list(differences(reference, kind, schemas, set(), "$"))

    assert found("Point", Point)
    assert len(found("ThresholdOut", Threshold)) == 2


def test_each_operation_has_a_method_in_the_javascript_module(openapi: Json) -> None:
    declared = (JAVASCRIPT / "semblance.d.ts").read_text(encoding="utf-8")
    for name, (method, path) in javascript_operations().items():
        assert re.search(rf"^  {name}\(", declared, re.MULTILINE), f"{name} has no types"
        python = next(x for x in operations.ALL if (x.method, x.path) == (method, path))
        # The same words, as each language writes them.
        assert name == re.sub(r"_(\w)", lambda found: found[1].upper(), python.name)
    known = set(javascript_operations().values())
    assert known == {(item.method, item.path) for item in operations.ALL}
    assert set(served(openapi)) - known == NOT_CALLED


def test_the_types_name_each_field_of_each_answer(openapi: Json) -> None:
    declared = (JAVASCRIPT / "semblance.d.ts").read_text(encoding="utf-8")
    # The model's measured rates are many, and nobody's code branches on them.
    left_out = {"CalibrationOut", "OperatingPointOut", "VerdictPointOut"}
    for name, schema in openapi["components"]["schemas"].items():
        if name.endswith("Out") and name not in left_out:
            for field in schema["properties"]:
                assert re.search(rf"\b{field}\b", declared), f"{name}.{field}"


def javascript_operations() -> dict[str, tuple[str, str]]:
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node here")
    module = json.dumps((JAVASCRIPT / "semblance.js").as_uri())
    code = (
        f"import {{ OPERATIONS, Client }} from {module};"
        "for (const name of Object.keys(OPERATIONS))"
        " if (typeof Client.prototype[name] !== 'function') throw new Error(name);"
        "console.log(JSON.stringify(OPERATIONS))"
    )
    done = subprocess.run(
        [node, "--input-type=module", "-e", code], capture_output=True, text=True, check=True
    )
    return {name: (item[0], item[1]) for name, item in json.loads(done.stdout).items()}
