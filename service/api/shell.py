"""The page's own files, read and compressed once, and the worker that keeps them for offline.

What is sent compressed is the same for everybody and holds no secret; answers of the
API never are.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

_LEAST_PACKED = 300
_TEXTS = {".html", ".css", ".js", ".json", ".svg"}
_TYPES = {".js": "text/javascript", ".json": "application/json"}


@dataclass(frozen=True)
class Kept:
    """One file.

    Attributes:
        packed: Compressed with gzip; None where that would not make it smaller.
        tag: What a browser says to ask whether it still has the newest.
    """

    body: bytes
    packed: bytes | None
    media_type: str
    tag: str

    def answer(self, headers: Headers) -> Response:
        """The file as the asking browser takes it, or that it has it already."""
        said = {"Cache-Control": "no-cache", "ETag": self.tag, "Vary": "Accept-Encoding"}
        if self.tag in headers.get("if-none-match", ""):
            return Response(status_code=304, headers=said)
        body = self.body
        if self.packed is not None and "gzip" in headers.get("accept-encoding", ""):
            body = self.packed
            said["Content-Encoding"] = "gzip"
        return Response(body, media_type=self.media_type, headers=said)


def kept(body: bytes, suffix: str) -> Kept:
    """A file of a name that ends so, such as ".js"."""
    packed = None
    if suffix in _TEXTS and len(body) >= _LEAST_PACKED:
        packed = gzip.compress(body, 9, mtime=0)
    kind = _TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")
    return Kept(body, packed, kind, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def read(folder: Path) -> dict[str, Kept]:
    """Every file below a folder, by its path in it: "js/main.js"."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): kept(path.read_bytes(), path.suffix) for path in paths
    }


def worker(source: str, files: Mapping[str, Kept], at: Mapping[str, str]) -> Kept:
    """The service worker: which version of which files it keeps, and then how.

    Args:
        source: What it does, in JavaScript.
        files: The page's files.
        at: The address of each.
    """
    tags = "".join(f"{name}{file.tag}" for name, file in sorted(files.items()))
    version = hashlib.sha256((tags + source).encode()).hexdigest()[:16]
    known = {"VERSION": version, "FILES": sorted(at.values())}
    lines = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in known.items())
    return kept((lines + source).encode(), ".js")


class Folder:
    """Answers with files by their names; a name is looked up, never opened as a path."""

    def __init__(self, files: Mapping[str, Kept]) -> None:
        self._files = files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(405, headers={"Allow": "GET, HEAD"})
        name = scope["path"].removeprefix(scope.get("root_path", "")).lstrip("/")
        file = self._files.get(name)
        if file is None:
            raise HTTPException(404)
        await file.answer(Headers(scope=scope))(scope, receive, send)
