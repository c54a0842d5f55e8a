"""The gallery: who is there, found by name; one of them renamed, merged, deleted."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Visit
from tests.browser.steps import (
    delete_typed,
    dialog,
    enrol,
    enrol_files,
    go,
    open_sheet,
    status,
    tile,
    verdict,
    verify_file,
)
from tests.faces import Faces

pytestmark = pytest.mark.usefixtures("nobody")


def test_the_gallery_with_pictures_and_agreement(
    visit: Visit, faces: Faces, output_folder: Path
) -> None:
    page = visit()
    expect(page.locator(".first")).to_contain_text("Nobody is enrolled yet.")
    enrol(page, "barack", *(faces.folder / f"obama{n}.jpg" for n in ("", 2, 3)))
    enrol(page, "ada", faces.folder / "astronaut.png")
    go(page, "People")
    expect(page.locator(".count")).to_have_text("2 people")
    expect(tile(page, "barack")).to_contain_text("3 references")
    picture = tile(page, "barack").locator("img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") >= 32
    sheet = open_sheet(page, "barack")
    expect(sheet.locator(".agreement")).to_have_count(3)
    expect(sheet.locator(".agreement").first).to_contain_text("Agrees with the others: 0.9")
    expect(sheet.locator(".references img")).to_have_count(3)
    expect(sheet.locator(".references li").first).to_contain_text("quality")
    page.screenshot(path=output_folder / "sheet.png")
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()


def test_rename_merge_and_delete(visit: Visit, faces: Faces) -> None:
    page = visit(at="people")
    enrol(page, "barak", faces.folder / "obama.jpg")
    enrol(page, "obama", faces.folder / "obama2.jpg", faces.folder / "obama3.jpg")
    page.reload()
    sheet = open_sheet(page, "barak")
    sheet.get_by_role("button", name="Rename").click()
    field = dialog(page).get_by_label("New name or id")
    expect(field).to_be_focused()
    expect(dialog(page).get_by_role("button", name="Rename")).to_be_disabled()
    field.fill("obama")
    field.press("Enter")
    expect(dialog(page).get_by_role("alert")).to_contain_text("enrolled under this name already")
    field.fill("barack")
    field.press("Enter")
    expect(sheet.locator("h2")).to_have_text("barack")
    expect(page.locator("#announcer")).to_have_text("barak is barack now.")
    expect(tile(page, "barak")).to_have_count(0)

    sheet.get_by_role("button", name="Merge").click()
    dialog(page).get_by_label("Merge into").fill("nobody of this name")
    dialog(page).get_by_role("button", name="Merge").click()
    expect(dialog(page).get_by_role("alert")).to_contain_text("Nobody is enrolled under this name")
    dialog(page).get_by_label("Merge into").fill("obama")
    dialog(page).get_by_role("button", name="Merge").click()
    expect(sheet.locator("h2")).to_have_text("obama")
    expect(sheet.locator(".references li")).to_have_count(3)
    expect(tile(page, "barack")).to_have_count(0)

    sheet.get_by_role("button", name="Delete", exact=True).first.click()
    expect(dialog(page)).to_contain_text("3 references will be erased")
    yes = dialog(page).get_by_role("button", name="Delete")
    expect(yes).to_be_disabled()
    dialog(page).get_by_label("Type obama to delete it").fill("Obama")
    expect(yes).to_be_disabled()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(sheet).to_be_visible()
    delete_typed(page, "obama")
    expect(sheet).to_be_hidden()
    expect(page.locator(".gallery .empty")).to_have_text(
        "Nobody is enrolled yet. Add a person to begin."
    )


def test_a_button_pressed_before_the_person_is_read_is_about_that_person(
    visit: Visit, faces: Faces
) -> None:
    page = visit(at="people")
    enrol(page, "first", faces.folder / "obama.jpg")
    enrol(page, "second", faces.folder / "astronaut.png")
    page.reload()
    open_sheet(page, "first")
    page.keyboard.press("Escape")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/v1/identities/second", hold)
    tile(page, "second").get_by_role("button").click()
    sheet = page.locator("dialog.sheet")
    sheet.get_by_role("button", name="Delete", exact=True).first.click()
    expect(dialog(page)).to_have_count(0)
    assert len(held) == 1
    held[0].continue_()
    expect(dialog(page).get_by_label("Type second to delete it")).to_be_focused()


def test_more_people_than_one_page_and_found_by_name(
    visit: Visit, faces: Faces, service_url: str
) -> None:
    picture = faces.read("astronaut.png")
    with httpx.Client(base_url=service_url) as client:
        for number in range(26):
            client.post(
                "/v1/enroll",
                data={"identity": f"person {number:02}"},
                files={"images": ("a.png", picture, "image/png")},
            ).raise_for_status()
    page = visit(at="people")
    expect(tile(page, "person 23")).to_be_visible()
    expect(tile(page, "person 24")).to_have_count(0)
    expect(page.locator(".count")).to_have_text("the first 24 people")
    page.get_by_role("button", name="Show more").click()
    expect(tile(page, "person 25")).to_be_visible()
    expect(tile(page, "person 24").get_by_role("button")).to_be_focused()
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    page.get_by_label("Find by name").fill("PERSON 1")
    expect(page.locator(".count")).to_have_text("10 people")
    page.get_by_label("Find by name").fill("somebody else")
    expect(page.locator(".gallery .empty")).to_have_text("Nobody of this name was found.")


def test_files_are_accepted_and_rejected_one_by_one_and_more_are_added(
    visit: Visit, faces: Faces, tmp_path: Path
) -> None:
    text = tmp_path / "notes.jpg"
    text.write_text("no picture at all")
    page = visit()
    enrol_files(page, "astronaut", faces.folder / "astronaut.png", text)
    expect(status(page)).to_contain_text("1 of 2 accepted")
    expect(page.locator(".pictures li").nth(0)).to_contain_text("Accepted, quality")
    expect(page.locator(".pictures li").nth(1)).to_contain_text("Rejected: ")
    enrol_files(page, "nobody", text)
    expect(page.locator(".pictures li")).to_contain_text("Rejected: ")

    go(page, "People")
    expect(tile(page, "nobody")).to_have_count(0)
    open_sheet(page, "astronaut").get_by_role("button", name="Add pictures").click()
    expect(page.get_by_label("Name or id of the person")).to_have_value("astronaut")
    page.get_by_label("Choose files").set_input_files(faces.folder / "astronaut.png")
    expect(status(page)).to_contain_text("astronaut has 1 reference now")
    expect(page.locator(".pictures li")).to_contain_text("the same picture")
    # Who was added is verified next: the name goes along.
    page.get_by_role("link", name="Verify now").click()
    expect(page.get_by_label("Who is it?")).to_have_value("astronaut")
    verify_file(page, "astronaut", faces.folder / "astronaut.png")
    expect(verdict(page)).to_have_text("Verified as astronaut")
