"""No place keeps anybody out: axe-core finds nothing, and a keyboard is enough."""

from __future__ import annotations

from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import DESKTOP, PHONE, Films, Visit
from tests.browser.steps import (
    dialog,
    enrol,
    enrol_files,
    go,
    name_identity,
    open_sheet,
    stage,
    status,
    tile,
    verdict,
    verify_file,
)
from tests.faces import Faces

pytestmark = pytest.mark.usefixtures("nobody")
LOOKS = [
    pytest.param("light", DESKTOP, "en-US", id="light-desktop"),
    pytest.param("dark", PHONE, "ar", id="dark-phone-arabic"),
    pytest.param("dark", DESKTOP, "en-US", id="dark-desktop", marks=pytest.mark.long),
    pytest.param("light", PHONE, "ar", id="light-phone-arabic", marks=pytest.mark.long),
]


@pytest.mark.parametrize(("scheme", "viewport", "locale"), LOOKS)
def test_axe_finds_nothing(
    visit: Visit,
    faces: Faces,
    scheme: Literal["light", "dark"],
    viewport: dict[str, int],
    locale: str,
) -> None:
    page = visit(color_scheme=scheme, viewport=viewport, locale=locale)
    expect(page.locator(".first")).to_be_visible()
    found = {"verify": violations(page)}
    enrol(page, "barack", *(faces.folder / f"{name}.jpg" for name in ("obama", "obama2", "biden")))
    page.locator("#identity").fill("barack")
    page.locator("#verify-file").set_input_files(faces.folder / "biden.jpg")
    expect(verdict(page)).to_be_visible()
    found["verdict"] = violations(page)
    page.locator("#identity").fill("unknown")
    page.locator("#verify-file").set_input_files(faces.folder / "biden.jpg")
    expect(page.locator(".notice")).to_be_visible()
    found["notice"] = violations(page)

    page.locator("#nav a").nth(1).click()
    expect(tile(page, "barack").locator("img")).to_be_visible()
    found["people"] = violations(page)
    sheet = open_sheet(page, "barack")
    expect(sheet.locator(".references img")).to_have_count(3)
    found["sheet"] = violations(page)
    sheet.locator(".dangerous").click()
    expect(dialog(page)).to_be_visible()
    found["delete"] = violations(page)
    for _ in range(2):
        page.keyboard.press("Escape")
    page.locator(".people-tools a").click()
    page.locator("#new-identity").fill("barack")
    page.locator("#enrol-files").set_input_files(faces.folder / "biden.jpg")
    expect(status(page)).to_be_visible()
    found["add"] = violations(page)

    page.locator("#nav a").nth(2).click()
    expect(page.locator(".det")).to_be_visible()
    found["model"] = violations(page)
    assert {place: faults for place, faults in found.items() if faults} == {}
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]


def test_axe_would_find_something(visit: Visit) -> None:
    page = visit()
    page.evaluate("document.body.append(document.createElement('img'))")
    assert any(fault.startswith("image-alt") for fault in violations(page))


def test_by_keyboard_alone(visit: Visit, films: Films, faces: Faces) -> None:
    page = visit(films.ada)
    enrol(page, "keyboard", faces.folder / "obama.jpg")
    expect(page.locator(".asks")).to_contain_text("threshold")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Who is it?")).to_be_focused()
    page.reload()
    expect(page.locator(".asks")).to_contain_text("threshold")
    # Every stop can be seen, and the order is that of the page.
    assert _walk(page, 11) == [
        "Skip to the content",
        "Semblance",
        "Verify",
        "People",
        "Model",
        "language",
        "identity",
        "verify",
        "Start camera",
        "verify-file",
        "Change",
    ]
    name_identity(page, "keyboard")
    page.keyboard.press("Enter")
    expect(stage(page)).to_have_attribute("data-state", "live")
    expect(verdict(page)).to_have_text("Verified as keyboard", timeout=30_000)

    page.locator("#nav a").nth(1).focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="People")).to_be_focused()
    tile(page, "keyboard").get_by_role("button").focus()
    page.keyboard.press("Enter")
    sheet = page.locator("dialog.sheet")
    expect(sheet.locator("h2")).to_be_focused()
    sheet.get_by_role("button", name="Delete", exact=True).first.focus()
    page.keyboard.press("Enter")
    expect(dialog(page).get_by_label("Type keyboard to delete it")).to_be_focused()
    page.keyboard.type("keyboard")
    page.keyboard.press("Enter")
    expect(sheet).to_be_hidden()
    expect(tile(page, "keyboard")).to_have_count(0)


def test_little_motion_where_that_is_wished(visit: Visit, faces: Faces) -> None:
    page = visit(reduced_motion="reduce")
    enrol_files(page, "calm", faces.folder / "obama.jpg")
    go(page, "Verify")
    verify_file(page, "calm", faces.folder / "obama.jpg")
    expect(verdict(page)).to_have_text("Verified as calm")
    moving = page.evaluate(
        """() => [...document.querySelectorAll('*')].filter((element) => {
            const style = getComputedStyle(element);
            return parseFloat(style.transitionDuration) > 0 || style.animationName !== 'none';
        }).map((element) => element.className)"""
    )
    assert moving == []


def _walk(page: Page, stops: int) -> list[str]:
    """Presses Tab; ids or texts of where that leads, each in view."""
    found: list[str] = []
    for _ in range(stops):
        page.keyboard.press("Tab")
        place = page.evaluate(
            """() => {
                const element = document.activeElement;
                const box = element.getBoundingClientRect();
                return box.width === 0 ? 'not to be seen' : element.id || element.textContent;
            }"""
        )
        found.append(place)
    return found
