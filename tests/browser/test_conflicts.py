"""The page tells of a picture that seems to be of somebody else, and where it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE, Visit
from tests.browser.steps import dialog, enrol, enrol_files, go, open_sheet, status
from tests.faces import Faces

pytestmark = pytest.mark.usefixtures("nobody")


@pytest.mark.parametrize(
    "viewport",
    [
        pytest.param(DESKTOP, id="desktop"),
        pytest.param(PHONE, id="phone", marks=pytest.mark.long),
    ],
)
def test_a_wrong_picture_is_told_and_marked(
    visit: Visit, faces: Faces, output_folder: Path, viewport: dict[str, int]
) -> None:
    page = visit(viewport=viewport)
    name = f"barack {viewport['width']}"
    pictures = ("obama.jpg", "biden.jpg", "obama2.jpg")
    enrol_files(page, name, *(faces.folder / picture for picture in pictures))
    expect(status(page)).to_contain_text("3 of 3 accepted")
    message = page.locator(".conflicts")
    expect(message).to_contain_text("Picture 2 (biden.jpg)")
    expect(message).to_contain_text("It was enrolled all the same")
    # Also for those who do not see it.
    expect(page.locator("#announcer")).to_contain_text("Picture 2 (biden.jpg)")

    go(page, "People")
    sheet = open_sheet(page, name)
    expect(sheet.locator(".references li")).to_have_count(3)
    expect(sheet.locator(".outlier")).to_have_count(1)
    wrong = sheet.locator(".references li").nth(1)
    expect(wrong).to_contain_text("Unlike the others: score")
    expect(wrong.get_by_role("img", name="reference 2")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    page.screenshot(path=output_folder / f"conflict-{viewport['width']}.png")

    sheet.get_by_role("button", name="Delete reference 2").click()
    dialog(page).get_by_role("button", name="Delete").click()
    expect(sheet.locator(".references li")).to_have_count(2)
    expect(sheet.locator(".outlier")).to_have_count(0)


def test_somebody_who_is_enrolled_under_another_name(visit: Visit, faces: Faces) -> None:
    page = visit()
    enrol(page, "barack", faces.folder / "obama.jpg")
    enrol_files(page, "obama", faces.folder / "obama2.jpg", faces.folder / "obama3.jpg")
    expect(page.locator(".conflicts")).to_contain_text(
        "Pictures 1 and 2 look like barack, who is enrolled too."
    )
    enrol_files(page, "joe", faces.folder / "biden.jpg")
    expect(status(page)).to_contain_text("1 of 1 accepted. joe")
    expect(page.locator(".conflicts")).to_be_hidden()
