"""What a person does on the page, for several tests."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

# A machine that is busy with other tests.
ENROLMENT_MS = 40_000


def go(page: Page, place: str) -> None:
    """To a place, by its name in the navigation."""
    page.locator("#nav").get_by_role("link", name=place, exact=True).click()
    expect(page.locator(".place:not([hidden]) h1:visible")).to_be_visible()


def start_camera(page: Page) -> None:
    page.get_by_role("button", name="Start camera").click()
    expect(page.get_by_role("button", name="Stop camera")).to_be_visible()
    expect(stage(page)).to_have_attribute("data-state", "live")


def stage(page: Page) -> Locator:
    return page.locator(".stage:visible")


def name_identity(page: Page, identity: str) -> None:
    page.get_by_label("Who is it?").fill(identity)


def verify_button(page: Page) -> Locator:
    return page.locator("#verify")


def verify_file(page: Page, identity: str, file: Path) -> None:
    name_identity(page, identity)
    page.get_by_label("Verify a file").set_input_files(file)


def open_adding(page: Page) -> None:
    if page.get_by_role("heading", name="Add a person").is_visible():
        return
    go(page, "People")
    page.get_by_role("link", name="Add a person").click()


def enrol_files(page: Page, identity: str, *files: Path) -> None:
    """By hand, in People; the page stays there."""
    open_adding(page)
    page.get_by_label("Name or id of the person").fill(identity)
    page.get_by_label("Choose files").set_input_files(files)
    expect(status(page)).to_contain_text(re.compile("accepted|not|No "))


def enrol(page: Page, identity: str, *files: Path) -> None:
    """Without the page, where a test is about something else."""
    kinds = {".png": "image/png"}
    for file in files:
        answer = page.request.post(
            f"{page.url.split('#')[0]}v1/enroll",
            multipart={
                "identity": identity,
                "images": {
                    "name": file.name,
                    "mimeType": kinds.get(file.suffix, "image/jpeg"),
                    "buffer": file.read_bytes(),
                },
            },
        )
        assert answer.ok, answer.text()


def status(page: Page) -> Locator:
    return page.locator(".report-status")


def verdict(page: Page) -> Locator:
    return page.locator(".verdict-word")


def tile(page: Page, identity: str) -> Locator:
    """Of the gallery."""
    return page.locator(".identities > li").filter(
        has=page.locator(".identity-name", has_text=re.compile(f"^{re.escape(identity)}$"))
    )


def open_sheet(page: Page, identity: str) -> Locator:
    """One person closely."""
    tile(page, identity).get_by_role("button").click()
    sheet = page.locator("dialog.sheet")
    expect(sheet.locator("h2")).to_have_text(identity)
    expect(sheet.locator(".references li").first).to_be_visible()
    return sheet


def dialog(page: Page) -> Locator:
    """The question on top of all else."""
    return page.locator("dialog:not(.sheet):not(#access)[open]")


def delete_typed(page: Page, identity: str) -> None:
    """Deletes the person of the sheet that is open."""
    page.locator("dialog.sheet").get_by_role("button", name="Delete", exact=True).first.click()
    dialog(page).get_by_label(f"Type {identity}").fill(identity)
    dialog(page).get_by_role("button", name="Delete").click()
    expect(dialog(page)).to_have_count(0)
