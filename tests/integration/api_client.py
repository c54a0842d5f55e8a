"""Send pictures in both ways the API takes, and look closely at what comes back."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import httpx

from tests.integration.json_schema import faults
from tests.running import ROOT

Style = Literal["multipart", "json"]
STYLES: tuple[Style, ...] = ("multipart", "json")
Pictures = Mapping[str, bytes | Sequence[bytes]]

_LEAK = re.compile(
    r"Traceback|File \"|\.py\b|site-packages|/home/|/root/|/tmp/|sqlite3?\.|" + re.escape(str(ROOT))
)
_SPECIFICATIONS: dict[str, dict[str, Any]] = {}


def post(
    client: httpx.Client, path: str, style: Style, pictures: Pictures, **fields: object
) -> httpx.Response:
    """Posts fields and pictures as a form or as JSON with base64."""
    if style == "json":
        body: dict[str, object] = dict(fields)
        for name, content in pictures.items():
            if isinstance(content, bytes):
                body[name] = base64_of(content)
            else:
                body[name] = [base64_of(item) for item in content]
        return client.post(path, json=body)
    files = [
        (name, (f"{name}-{number}.jpg", item))
        for name, content in pictures.items()
        for number, item in enumerate([content] if isinstance(content, bytes) else content)
    ]
    return client.post(path, data={k: str(v) for k, v in fields.items()}, files=files)


def answer(response: httpx.Response, status: int = 200) -> dict[str, Any]:
    """The JSON of a success, which must be just what OpenAPI says."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"]
    specification = specification_of(response)
    declared = _operation(specification, response)["responses"][str(status)]
    schema = declared["content"]["application/json"]["schema"]
    content: dict[str, Any] = response.json()
    assert faults(schema, content, specification["components"]["schemas"]) == []
    return content


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The content of a problem, which must be whole, documented, and give nothing away."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    content: dict[str, Any] = response.json()
    assert content["code"] == code, content
    assert content["type"] == f"urn:semblance:problem:{code}"
    assert content["status"] == status
    assert content["title"]
    assert content["detail"]
    assert content["instance"] == response.headers["x-request-id"]
    assert not _LEAK.search(response.text), response.text
    assert len(response.text) < 20_000
    specification = specification_of(response)
    schemas = specification["components"]["schemas"]
    assert faults(schemas["Problem"], content, schemas) == []
    operation = _operation(specification, response)
    documented = operation["responses"].get(str(status), {"description": ""})["description"]
    assert code in documented.split(", "), f"{status} {code} is not documented: {documented}"
    return content


def specification_of(response: httpx.Response) -> dict[str, Any]:
    url = response.request.url
    root = f"{url.scheme}://{url.netloc.decode()}"
    if root not in _SPECIFICATIONS:
        _SPECIFICATIONS[root] = httpx.get(f"{root}/openapi.json").json()
    return _SPECIFICATIONS[root]


def enrol(client: httpx.Client, identity: str, *images: bytes, **fields: object) -> dict[str, Any]:
    response = post(
        client, "/v1/enroll", "multipart", {"images": images}, identity=identity, **fields
    )
    return answer(response, 201)


def _operation(specification: dict[str, Any], response: httpx.Response) -> dict[str, Any]:
    path = response.request.url.path
    path = {"/enroll": "/v1/enroll", "/verify": "/v1/verify"}.get(path, path)
    templates = sorted(specification["paths"], key=lambda name: ("{" in name, name))
    for template in templates:
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
            operation: dict[str, Any] = specification["paths"][template][
                response.request.method.lower()
            ]
            return operation
    raise AssertionError(f"{path} is not in OpenAPI")


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()
