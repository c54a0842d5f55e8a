"""As much of JSON Schema as OpenAPI uses here, and strict: nothing unnamed may come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "null": (type(None),),
    "array": (list,),
    "object": (dict,),
}


def faults(schema: Schema, value: object, named: dict[str, Schema], at: str = "$") -> list[str]:
    """What in `value` is not as the schema says; empty if all is."""
    return list(_faults(schema, value, named, at))


def _faults(schema: Schema, value: object, named: dict[str, Schema], at: str) -> Iterator[str]:
    if "$ref" in schema:
        yield from _faults(named[schema["$ref"].split("/")[-1]], value, named, at)
        return
    if "anyOf" in schema:
        if all(faults(option, value, named, at) for option in schema["anyOf"]):
            yield f"{at}: {value!r:.60} is none of what is allowed"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: {value!r:.60} is not one of {schema['enum']}"
    if "const" in schema and value != schema["const"]:
        yield f"{at}: {value!r:.60} is not {schema['const']}"
    expected = schema.get("type")
    if expected and (
        not isinstance(value, _TYPES[expected])
        or (isinstance(value, bool) and expected != "boolean")
    ):
        yield f"{at}: {value!r:.60} is no {expected}"
        return
    if expected in {"number", "integer"} and isinstance(value, (int, float)):
        low, high = schema.get("minimum", value), schema.get("maximum", value)
        if not low <= value <= high:
            yield f"{at}: {value} is out of range"
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
            yield f"{at}: has {len(value)} items"
        for number, item in enumerate(value):
            inner = schema.get("prefixItems", [schema.get("items", {})] * len(value))[number]
            yield from _faults(inner, item, named, f"{at}[{number}]")
    if isinstance(value, dict):
        yield from _object(schema, value, named, at)


def _object(
    schema: Schema, value: dict[str, object], named: dict[str, Schema], at: str
) -> Iterator[str]:
    properties = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in value:
            yield f"{at}: has no '{name}'"
    for name, item in value.items():
        inner = properties.get(name, schema.get("additionalProperties"))
        if inner is None or inner is False:
            yield f"{at}: '{name}' is not in the schema"
        elif isinstance(inner, dict):
            yield from _faults(inner, item, named, f"{at}.{name}")
