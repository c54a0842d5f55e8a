"""The browser page, and /docs served from here, not from another host."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import fastapi_offline
from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, Response
from fastapi.staticfiles import StaticFiles

from service.api import shell

STATIC = Path(__file__).parents[2] / "static"
_SWAGGER = Path(fastapi_offline.__file__).parent / "static"
_DOCS_FILES = "/docs/files"
_INDEX = "index.html"

_WORKER = "sw.js"
"""Not among the files: it is served from the root, since it may keep only what is below it."""

_ELSEWHERE = "semblance-verify.js"
"""For pages of other sites; this one does not keep it."""


def install(app: FastAPI) -> None:
    """Adds the page, its files and /docs to the app."""
    files = shell.read(STATIC)
    source = files.pop(_WORKER).body.decode()
    own = {name: file for name, file in files.items() if name != _ELSEWHERE}
    at = {name: "/" if name == _INDEX else f"/static/{name}" for name in own}
    worker = shell.worker(source, own, at)

    @app.get("/", include_in_schema=False)
    async def page(request: Request) -> Response:
        return files[_INDEX].answer(request.headers)

    @app.get(f"/{_WORKER}", include_in_schema=False)
    async def service_worker(request: Request) -> Response:
        return worker.answer(request.headers)

    app.mount("/static", shell.Folder(files), name="static")
    app.mount(_DOCS_FILES, StaticFiles(directory=_SWAGGER), name="docs-files")
    docs = get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Semblance API",
        swagger_js_url=f"{_DOCS_FILES}/swagger-ui-bundle.js",
        swagger_css_url=f"{_DOCS_FILES}/swagger-ui.css",
        swagger_favicon_url="/static/favicon.svg",
    )
    policy = _docs_policy(bytes(docs.body).decode())

    @app.get("/docs", include_in_schema=False)
    async def docs_page() -> HTMLResponse:
        return HTMLResponse(docs.body, headers={"Content-Security-Policy": policy})


def _docs_policy(html: str) -> str:
    """A policy that allows the one inline script of the docs page, by its hash."""
    scripts = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src 'self' {allowed}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
