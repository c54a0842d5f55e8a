"""Real Chromium, with films in place of a camera, against a real service."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, expect, sync_playwright

from tests.browser.fake_camera import Shot, empty_film, write_film
from tests.faces import Faces
from tests.running import running_service

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_FAKE_DEVICE = "--use-fake-device-for-media-stream"
_ALLOW = "--use-fake-ui-for-media-stream"
# A browser and the service share what cores the machine has.
_PATIENCE_MS = 15_000
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 780}


@dataclass(frozen=True)
class Films:
    """What the camera shows: one person, the same one later, another, nobody."""

    ada: Path
    ada_later: Path
    bob: Path
    nobody: Path


Visit = Callable[..., Page]


@pytest.fixture(scope="package")
def films(tmp_path_factory: pytest.TempPathFactory, faces: Faces) -> Films:
    folder, photographs = tmp_path_factory.mktemp("films"), faces.folder
    smiling = Shot(photographs / "obama.jpg", (490, 255), 330)
    speaking = Shot(photographs / "obama2.jpg", (350, 385), 330)
    standing = Shot(photographs / "obama3.jpg", (775, 445), 345)
    other = Shot(photographs / "biden.jpg", (570, 375), 400)
    return Films(
        ada=write_film(folder / "ada.y4m", [smiling, speaking]),
        ada_later=write_film(folder / "ada_later.y4m", [standing]),
        bob=write_film(folder / "bob.y4m", [other]),
        nobody=empty_film(folder / "nobody.y4m"),
    )


@pytest.fixture(scope="package")
def chromium_path() -> str:
    for name in _NAMES:
        if path := shutil.which(name):
            return path
    pytest.fail(f"no browser found ({', '.join(_NAMES)}); `make test` installs Chromium")


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    # No longer than these tests: its event loop would be in the way of others'.
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def service_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One service for all: a start takes longer than most of these tests."""
    with running_service(tmp_path_factory.mktemp("data")) as url:
        yield url


@pytest.fixture
def nobody(service_url: str) -> None:
    """For tests that begin with nobody enrolled."""
    with httpx.Client(base_url=service_url) as client:
        for item in client.get("/v1/identities").json()["identities"]:
            client.delete(f"/v1/identities/{item['identity']}").raise_for_status()


@pytest.fixture(scope="package")
def browsers(playwright: Playwright, chromium_path: str) -> Iterator[Callable[..., Browser]]:
    """One browser for each set of arguments: a film is one, and a start takes a second."""
    with ExitStack() as stack:

        @cache
        def browser(*arguments: str) -> Browser:
            started = launch(playwright, chromium_path, *arguments)
            stack.callback(started.close)
            return started

        yield browser


@pytest.fixture
def visit(browsers: Callable[..., Browser], service_url: str) -> Iterator[Visit]:
    """Opens the page; at the end of a test, no console may have complained.

    A refused content security policy is a complaint, too. Arguments of the
    function: `film` is what the camera shows; `camera` is "allowed", "refused"
    or "missing"; `host` reaches the service by another name than 127.0.0.1; `at`
    is the place, such as "people/add"; `script` runs before the page's own;
    `service` is the address of another than all share; everything else goes to the browser context.
    """
    complaints: list[str] = []
    with ExitStack() as stack:

        def open_page(
            film: Path | None = None,
            *,
            camera: str = "allowed",
            host: str | None = None,
            at: str = "",
            script: str = "",
            service: str = service_url,
            **context: Any,
        ) -> Page:
            arguments = [*_camera(film, camera)]
            url = service
            if host is not None:
                arguments.append(f"--host-resolver-rules=MAP {host} 127.0.0.1")
                url = url.replace("127.0.0.1", host)
            chosen = {"viewport": DESKTOP, "locale": "en-US", **context}
            opened = browsers(*arguments).new_context(**chosen)
            stack.callback(opened.close)
            page = opened.new_page()
            page.set_default_timeout(_PATIENCE_MS)
            if script:
                page.add_init_script(script)
            _listen(page, complaints)
            page.goto(f"{url}/#/{at}" if at else url)
            return page

        yield open_page
    assert complaints == []


def launch(playwright: Playwright, chromium_path: str, *arguments: str) -> Browser:
    """A browser of its own."""
    return playwright.chromium.launch(executable_path=chromium_path, args=[*_QUIET, *arguments])


def _camera(film: Path | None, camera: str) -> list[str]:
    if camera == "missing":
        return [f"{_FAKE_DEVICE}=device-count=0", _ALLOW]
    if camera == "refused":
        return [_FAKE_DEVICE, f"{_ALLOW}=deny"]
    chosen = [] if film is None else [f"--use-file-for-fake-video-capture={film}"]
    return [_FAKE_DEVICE, _ALLOW, *chosen]


def _listen(page: Page, complaints: list[str]) -> None:
    def on_console(message: ConsoleMessage) -> None:
        # A refusal such as 422 is an answer; the browser logs it all the same.
        refused = "/v1/" in message.location["url"] and "status of 4" in message.text
        # The header needs https, which no test has.
        plain_http = "Cross-Origin-Opener-Policy header has been ignored" in message.text
        if message.type in ("error", "warning") and not (refused or plain_http):
            complaints.append(f"{message.type}: {message.text}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: complaints.append(f"exception: {error}"))
