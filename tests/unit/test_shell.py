"""The page's files: compressed where that is smaller, asked about by tag, never opened by name."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path

import anyio
import httpx
import pytest
from starlette.datastructures import Headers
from starlette.responses import Response

from service.api import shell
from service.api.page import STATIC
from service.app import create_app
from service.settings import Settings

Ask = Callable[..., httpx.Response]


@pytest.fixture(scope="module")
def ask() -> Ask:
    """The page needs no model: the app's lifespan is not begun."""
    transport = httpx.ASGITransport(create_app(Settings.model_validate({})))

    async def asked(path: str, method: str, headers: dict[str, str]) -> httpx.Response:
        async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
            return await client.request(method, path, headers=headers)

    def one(path: str, method: str = "GET", **headers: str) -> httpx.Response:
        return anyio.run(asked, path, method, headers)

    return one


def body(response: Response) -> bytes:
    return bytes(response.body)


def test_texts_are_compressed_for_who_takes_it() -> None:
    text = b"const words = 'the same again';\n" * 50
    file = shell.kept(text, ".js")
    packed = file.answer(Headers({"accept-encoding": "gzip, br"}))
    plain = file.answer(Headers({}))
    assert gzip.decompress(body(packed)) == body(plain) == text
    assert len(body(packed)) < len(text) / 5
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    # Else a cache between would give one browser what another asked for.
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert packed.headers["content-type"].startswith("text/javascript")


def test_what_is_small_or_a_picture_is_not() -> None:
    assert shell.kept(b"x" * 20, ".js").packed is None
    assert shell.kept(b"x" * 5000, ".png").packed is None


def test_a_browser_that_has_the_newest_gets_nothing() -> None:
    file = shell.kept(b"a" * 500, ".css")
    tag = file.answer(Headers({})).headers["etag"]
    assert file.answer(Headers({"if-none-match": tag})).status_code == 304
    assert file.answer(Headers({"if-none-match": f"W/{tag}"})).status_code == 304
    assert file.answer(Headers({"if-none-match": '"another"'})).status_code == 200
    changed = shell.kept(b"a" * 501, ".css")
    assert changed.answer(Headers({"if-none-match": tag})).status_code == 200


def test_the_worker_changes_with_any_file(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<p>one")
    (tmp_path / "js").mkdir()
    (tmp_path / "js" / "main.js").write_text("1")
    at = {"index.html": "/", "js/main.js": "/static/js/main.js"}

    def version() -> str:
        text = shell.worker("// what it does", shell.read(tmp_path), at).body.decode()
        found = re.match(r'const VERSION = "(\w+)";\nconst FILES = (.*);\n// what', text)
        assert found
        assert json.loads(found[2]) == ["/", "/static/js/main.js"]
        return found[1]

    before = version()
    assert version() == before
    (tmp_path / "js" / "main.js").write_text("2")
    assert version() != before


def test_the_service_serves_every_file_and_no_other(ask: Ask) -> None:
    for path in STATIC.rglob("*"):
        name = path.relative_to(STATIC).as_posix()
        if path.is_dir() or name in ("sw.js", "index.html"):
            continue
        answer = ask(f"/static/{name}")
        assert answer.content == path.read_bytes()
        assert answer.headers["cache-control"] == "no-cache"
    for name in ("sw.js", "../service/app.py", "%2e%2e/service/app.py", "js", "", "/etc/passwd"):
        assert ask(f"/static/{name}").status_code == 404, name
    assert ask("/static/style.css", "POST").status_code == 405
    assert ask("/static/style.css", "HEAD").content == b""


def test_the_worker_is_served_from_the_root_and_closed(ask: Ask) -> None:
    answer = ask("/sw.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    # The browser asks for it anew each time, or an upgrade would be late.
    assert answer.headers["cache-control"] == "no-cache"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    files = re.search(r"const FILES = (\[.*\]);", answer.text)
    assert files
    for address in json.loads(files[1]):
        assert ask(address).status_code == 200, address


def test_answers_of_the_api_are_not_compressed(ask: Ask) -> None:
    for path in ("/openapi.json", "/healthz"):
        headers = ask(path, **{"Accept-Encoding": "gzip"}).headers
        assert "content-encoding" not in headers
