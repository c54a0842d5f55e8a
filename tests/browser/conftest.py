"""Real Chromium, with films in place of a camera, against a real service."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, sync_playwright

from tests.browser.fake_camera import Shot, empty_film, write_film
from tests.faces import faces
from tests.running import running_service

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_FAKE_CAMERA = "--use-fake-device-for-media-stream"
_ALLOW_CAMERA = "--use-fake-ui-for-media-stream"
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 360, "height": 780}


@dataclass
class Films:
    """Paths of films: two of the same person, one of another, one of nobody."""

    ada: Path
    ada_later: Path
    bob: Path
    nobody: Path


@dataclass
class Visit:
    """An open page, and what its console complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)


Visitor = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium_path() -> str:
    for name in _NAMES:
        if path := shutil.which(name):
            return path
    pytest.fail(f"No browser found (looked for {', '.join(_NAMES)}). Install Chromium: `make test` does.")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_service(tmp_path_factory.mktemp("data")) as base_url:
        yield base_url


@pytest.fixture(scope="session")
def photographs() -> Path:
    return faces().folder


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory, photographs: Path) -> Films:
    folder = tmp_path_factory.mktemp("films")
    return Films(
        ada=write_film(
            folder / "ada.y4m",
            [
                Shot(photographs / "obama.jpg", (490, 255), 330),
                Shot(photographs / "obama2.jpg", (350, 385), 330),
            ],
        ),
        ada_later=write_film(
            folder / "ada_later.y4m", [Shot(photographs / "obama3.jpg", (775, 445), 345)]
        ),
        bob=write_film(folder / "bob.y4m", [Shot(photographs / "biden.jpg", (570, 375), 400)]),
        nobody=empty_film(folder / "nobody.y4m"),
    )


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder for screenshots."""
    given = os.environ.get("SEMBLANCE_TEST_OUTPUT")
    folder = Path(given) if given else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def visit(playwright: Playwright, chromium_path: str, service: str) -> Iterator[Visitor]:
    """Opens the page; afterwards no console may have complained.

    `film` is what the camera shows; `camera` is "allowed", "refused" or
    "missing"; what else is given goes to the browser context.
    """
    visits: list[Visit] = []
    with ExitStack() as stack:

        def open_page(
            film: Path | None = None, *, camera: str = "allowed", url: str = service, **context: Any
        ) -> Page:
            arguments = [*_QUIET, *_camera_arguments(film, camera)]
            if url != service:
                arguments.append(f"--host-resolver-rules=MAP {url.split('/')[2].split(':')[0]} 127.0.0.1")
            browser: Browser = playwright.chromium.launch(
                executable_path=chromium_path, args=arguments
            )
            stack.callback(browser.close)
            page = browser.new_context(**{"viewport": DESKTOP, **context}).new_page()
            page.set_default_timeout(15_000)
            visits.append(_watched(page))
            page.goto(url)
            return page

        yield open_page
        complaints = [line for visit in visits for line in visit.complaints]
    assert complaints == []


def _camera_arguments(film: Path | None, camera: str) -> list[str]:
    if camera == "missing":
        return [f"{_FAKE_CAMERA}=device-count=0", _ALLOW_CAMERA]
    allowed = _ALLOW_CAMERA if camera == "allowed" else f"{_ALLOW_CAMERA}=deny"
    arguments = [_FAKE_CAMERA, allowed]
    if film is not None:
        arguments.append(f"--use-file-for-fake-video-capture={film}")
    return arguments


def _watched(page: Page) -> Visit:
    visit = Visit(page)

    def on_console(message: ConsoleMessage) -> None:
        # A refusal such as 422 is an answer; the browser logs it all the same.
        refused = message.text.startswith("Failed to load resource")
        if message.type in ("error", "warning") and not (
            refused and "/v1/" in message.location["url"]
        ):
            visit.complaints.append(f"{message.type}: {message.text}")

    page.on("console", on_console)
    page.on("pageerror", lambda error: visit.complaints.append(f"exception: {error}"))
    return visit
