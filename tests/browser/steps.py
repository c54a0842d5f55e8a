"""What a person does on the page, for several tests."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

# Five pictures, at most 1.4 s apart, on a machine that is busy with other tests.
ENROLMENT_MS = 40_000


def start_camera(page: Page) -> None:
    page.get_by_role("button", name="Start camera").click()
    expect(page.get_by_role("button", name="Stop camera")).to_be_visible()
    expect(page.locator("#stage")).to_have_attribute("data-state", "live")


def name_identity(page: Page, identity: str) -> None:
    page.get_by_label("Name or id of the person").fill(identity)


def enrol_files(page: Page, identity: str, *files: Path) -> None:
    name_identity(page, identity)
    page.get_by_label("Enrol files").set_input_files(files)
    expect(status(page)).to_contain_text(re.compile("accepted|not|No "))


def status(page: Page) -> Locator:
    return page.locator(".report-status")


def verdict(page: Page) -> Locator:
    return page.locator(".verdict-word")


def identity_row(page: Page, identity: str) -> Locator:
    return page.locator("#identities > li").filter(
        has=page.locator(".identity-name", has_text=re.compile(f"^{re.escape(identity)}$"))
    )
