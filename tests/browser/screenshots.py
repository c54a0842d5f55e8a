"""The pictures of docs/page.md: `python -m tests.browser.screenshots`.

Small files of WebP, of faces in the public domain alone.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from model.artifact import read_artifact
from model.faces import Detector
from tests.browser.conftest import DESKTOP, PHONE, launch
from tests.browser.moving_head import moving_head
from tests.browser.steps import enrol
from tests.browser.tour import HELD, tour
from tests.faces import faces
from tests.running import ROOT, running_service

FOLDER = ROOT / "docs" / "screenshots"
_MOST_BYTES = 60_000


@dataclass(frozen=True)
class Look:
    """How the page is seen, and what of it is kept; all if nothing is named."""

    name: str
    viewport: dict[str, int]
    scheme: Literal["light", "dark"] = "light"
    locale: str = "en-US"
    kept: tuple[str, ...] = ()


LOOKS = (
    Look(
        "desktop",
        DESKTOP,
        kept=("verify-ring", "verify-yes", "verify-file", "people", "person", "model"),
    ),
    Look("dark", DESKTOP, "dark", kept=("add-guided", "verify-no", "person-delete")),
    Look("phone", PHONE, kept=("first", "verify-yes", "add-guided", "people")),
    Look("arabic", PHONE, "dark", "ar", kept=("verify-yes", "add-guided", "person", "model")),
)


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    detector = Detector(read_artifact(ROOT / "models" / "sface").detector)
    head = moving_head(faces().read("obama.jpg"), detector)
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome") or ""
        browser = launch(playwright, path)
        for look in LOOKS:
            with _service() as url, opened(browser, url, look, HELD + head) as page:
                tour(page, faces(), partial(_keep, page, look))
        _movements(browser, head)
        browser.close()


@contextmanager
def opened(browser: Browser, url: str, look: Look, script: str) -> Iterator[Page]:
    context = browser.new_context(
        viewport=look.viewport,  # type: ignore[arg-type]  # a dict of two numbers
        color_scheme=look.scheme,
        locale=look.locale,
    )
    page = context.new_page()
    page.add_init_script(script)
    try:
        page.goto(url)
        yield page
    finally:
        context.close()


@contextmanager
def _service(**settings: object) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder, running_service(Path(folder), **settings) as url:
        yield url


def _movements(browser: Browser, head: str) -> None:
    look = Look("phone", PHONE)
    with _service(require_liveness=True) as url, opened(browser, url, look, head) as page:
        enrol(page, "barack", faces().folder / "obama.jpg")
        page.reload()
        expect(page.locator(".asks")).to_contain_text("threshold")
        page.locator("#identity").fill("barack")
        page.locator("#verify").click()
        expect(page.locator(".stage-guide")).to_be_visible(timeout=60_000)
        page.wait_for_timeout(400)
        _keep(page, look, "movements")


def _keep(page: Page, look: Look, name: str) -> None:
    if look.kept and name not in look.kept:
        return
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    for quality in (80, 65, 50, 35):
        out = io.BytesIO()
        picture.save(out, "WEBP", quality=quality, method=6)
        if out.tell() < _MOST_BYTES:
            break
    (FOLDER / f"{name}-{look.name}.webp").write_bytes(out.getvalue())


if __name__ == "__main__":
    main()
