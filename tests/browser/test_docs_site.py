"""The site of the documents, in a browser: it asks nobody else for anything, and finds words."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page, expect

from docs.website.build import build
from tests.browser.conftest import PHONE, Visit

_WIDTHS = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return


@pytest.fixture(scope="module")
def site_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = build(tmp_path_factory.mktemp("docs"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def asked(page: Page, address: str) -> list[str]:
    """All that the browser asked for on the way to a page."""
    found: list[str] = []
    page.on("request", lambda request: found.append(request.url))
    page.goto(address)
    page.wait_for_load_state("networkidle")
    return found


def test_a_page_is_whole_without_another_host(visit: Visit, site_url: str) -> None:
    page = visit(service=f"{site_url}/index.html")
    found = asked(page, f"{site_url}/how-it-decides.html")
    assert len(found) > 5
    assert all(address.startswith((site_url, "data:", "blob:")) for address in found)
    for picture in page.locator("article img").all():
        assert picture.evaluate("one => one.complete && one.naturalWidth > 0")


def test_a_word_is_found(visit: Visit, site_url: str) -> None:
    page = visit(service=f"{site_url}/index.html")
    page.wait_for_load_state("networkidle")
    page.keyboard.press("Control+k")
    page.keyboard.type("SEMBLANCE_RETENTION_DAYS")
    expect(page.locator("a[href*='settings.html']").last).to_be_visible()


def test_no_page_is_wider_than_a_phone(visit: Visit, site_url: str) -> None:
    page = visit(service=f"{site_url}/index.html", viewport=PHONE)
    for name in ("index", "api", "comparison", "results", "privacy"):
        page.goto(f"{site_url}/{name}.html")
        wide, room = page.evaluate(_WIDTHS)
        assert wide <= room, name
