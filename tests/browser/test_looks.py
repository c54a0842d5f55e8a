"""Every flow in every look: sizes, schemes, a language from right to left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from model.artifact import Artifact
from model.faces import Detector
from tests.browser.axe import violations
from tests.browser.conftest import DESKTOP, PHONE
from tests.browser.moving_head import moving_head
from tests.browser.screenshots import Look, opened
from tests.browser.tour import HELD, tour
from tests.faces import Faces

LOOKS = [
    Look(f"{scheme}-{size}-{locale}", viewport, scheme, locale)
    for scheme in ("light", "dark")
    for size, viewport in (("desktop", DESKTOP), ("phone", PHONE))
    for locale in ("en-US", "ar")
]


@pytest.mark.long
@pytest.mark.usefixtures("nobody")
@pytest.mark.timeout(600)
@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.name)
def test_every_flow(
    look: Look,
    *,
    browsers: Callable[..., Browser],
    service_url: str,
    faces: Faces,
    sface_artifact: Artifact,
    output_folder: Path,
) -> None:
    """Left in the output folder to be looked at; nothing is cut off, and axe finds nothing."""
    script = HELD + moving_head(faces.read("obama.jpg"), Detector(sface_artifact.detector))
    found: dict[str, list[str]] = {}
    with opened(browsers(), service_url, look, script) as page:

        def shoot(name: str) -> None:
            page.screenshot(path=output_folder / f"{name}-{look.name}.png")
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= look.viewport["width"], name
            # Over a moving picture there is no contrast that could be told.
            found[name] = violations(page)

        tour(page, faces, shoot)
    assert {name: faults for name, faults in found.items() if faults} == {}
