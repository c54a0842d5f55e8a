"""What a caller of the older specification would stumble over in the newer one.

    gone             a route, a parameter's place, a field of an answer, a status of success
    demanded         a field or parameter of a request that could be left out before, or
                     did not exist
    narrowed         an enum of a request with fewer values, a type or bound that takes less
    widened          a field of an answer that may be null, or missing, and never was; an
                     enum of an answer with more values

New routes, new optional fields of requests and new fields of answers break nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
_METHODS = ("get", "post", "put", "patch", "delete")
_LEAST, _MOST = ("minimum", "minLength", "minItems"), ("maximum", "maxLength", "maxItems")


def breaking_changes(old: Json, new: Json) -> list[str]:
    """One line each; empty if nobody is broken."""
    return sorted(set(_of_routes(old, new)))


def _of_routes(old: Json, new: Json) -> Iterator[str]:
    for path, methods in old["paths"].items():
        for method in (m for m in methods if m in _METHODS):
            name = f"{method.upper()} {path}"
            now = new["paths"].get(path, {}).get(method)
            if now is None:
                yield f"{name}: gone"
                continue
            compared = _Compared(old, new)
            yield from (f"{name}: {fault}" for fault in compared.operation(methods[method], now))


class _Compared:
    """Two specifications; each method says what broke between a part of both."""

    def __init__(self, old: Json, new: Json) -> None:
        self._old, self._new = old, new
        self._seen: set[tuple[str, str, bool]] = set()

    def operation(self, old: Json, new: Json) -> Iterator[str]:
        yield from self._parameters(old.get("parameters", []), new.get("parameters", []))
        content = old.get("requestBody", {}).get("content", {})
        now = new.get("requestBody", {}).get("content", {})
        if not content and new.get("requestBody", {}).get("required"):
            yield "a body is demanded"
        for kind, body in content.items():
            if kind not in now:
                yield f"bodies of {kind}: gone"
            else:
                yield from self._schema("body", body["schema"], now[kind]["schema"], asked=True)
        for status, answer in old["responses"].items():
            if not status.startswith("2"):
                continue
            if status not in new["responses"]:
                yield f"status {status}: gone"
                continue
            content = answer.get("content", {})
            now = new["responses"][status].get("content", {})
            for kind, body in content.items():
                if kind not in now:
                    yield f"answers of {kind}: gone"
                elif "schema" in body:
                    schema = now[kind].get("schema", {})
                    yield from self._schema("answer", body["schema"], schema, asked=False)

    def _parameters(self, old: list[Json], new: list[Json]) -> Iterator[str]:
        before = {(item["in"], item["name"]): item for item in old}
        now = {(item["in"], item["name"]): item for item in new}
        for key, item in before.items():
            if key not in now:
                yield f"parameter {key[1]}: gone"
            else:
                yield from self._schema(
                    f"parameter {key[1]}", item["schema"], now[key]["schema"], asked=True
                )
        for key, item in now.items():
            if item.get("required") and not before.get(key, {}).get("required"):
                yield f"parameter {key[1]}: demanded"

    def _schema(self, place: str, old: Json, new: Json, *, asked: bool) -> Iterator[str]:
        """Args: asked: Of a request, where more may be taken; else of an answer."""
        if "$ref" in old:
            # A schema may hold itself; and one that is used often is told once an operation.
            key = (old["$ref"], str(new.get("$ref", place)), asked)
            if key in self._seen:
                return
            self._seen.add(key)
        before, now = _resolved(self._old, old), _resolved(self._new, new)
        kinds, kinds_now = self._kinds(before, self._old), self._kinds(now, self._new)
        gone, came = _outside(kinds, kinds_now), _outside(kinds_now, kinds)
        if asked and gone and kinds_now:
            yield f"{place}: narrowed, {sorted(gone)} is not taken any more"
        if not asked and came:
            yield f"{place}: widened, may be {sorted(came)}"
        yield from _bounds(place, before, now, asked=asked)
        yield from self._fields(place, before, now, asked=asked)
        if "items" in before and "items" in now:
            yield from self._schema(f"{place}[]", before["items"], now["items"], asked=asked)
        one, one_now = _one(before), _one(now)
        if one is not None and one_now is not None:
            yield from self._schema(place, one, one_now, asked=asked)

    def _fields(self, place: str, old: Json, new: Json, *, asked: bool) -> Iterator[str]:
        before, now = old.get("properties", {}), new.get("properties", {})
        for name, schema in before.items():
            if name not in now:
                yield f"{place}.{name}: gone"
            else:
                yield from self._schema(f"{place}.{name}", schema, now[name], asked=asked)
        required, required_now = set(old.get("required", ())), set(new.get("required", ()))
        if asked:
            yield from (f"{place}.{name}: demanded" for name in required_now - required)
        else:
            missing = (required - required_now) & set(now)
            yield from (f"{place}.{name}: widened, may be missing" for name in missing)

    def _kinds(self, schema: Json, specification: Json) -> frozenset[str]:
        """Types and values of an enum that it may have; empty where all may be."""
        if "anyOf" in schema:
            each = [_resolved(specification, part) for part in schema["anyOf"]]
            found = [self._kinds(part, specification) for part in each]
            return frozenset().union(*found) if all(found) else frozenset()
        if "const" in schema:
            return frozenset({repr(schema["const"])})
        if "enum" in schema:
            return frozenset(map(repr, schema["enum"]))
        return frozenset({schema["type"]}) if "type" in schema else frozenset()


def _outside(some: frozenset[str], others: frozenset[str]) -> frozenset[str]:
    """What of `some` is none of `others`: a text is a string, a whole number a number."""
    left = some - others
    if "string" in others:
        left = frozenset(kind for kind in left if not kind.startswith("'"))
    return left - {"integer"} if "number" in others else left


def _resolved(specification: Json, schema: Json) -> Json:
    while "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        schema = specification["components"]["schemas"][name]
    return schema


def _one(schema: Json) -> Json | None:
    """Of "this or null", this."""
    parts = [part for part in schema.get("anyOf", ()) if part.get("type") != "null"]
    return parts[0] if len(parts) == 1 else None


def _bounds(place: str, old: Json, new: Json, *, asked: bool) -> Iterator[str]:
    if not asked:
        return
    for name in (*_LEAST, *_MOST):
        before, now = old.get(name), new.get(name)
        if now is None or before == now:
            continue
        looser = before is not None and (now < before if name in _LEAST else now > before)
        if not looser:
            yield f"{place}: narrowed, {name} is {now}"
    if "pattern" in new and new["pattern"] != old.get("pattern"):
        yield f"{place}: narrowed, another pattern"
