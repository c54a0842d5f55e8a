"""The page of a service that asks for a key."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, expect

from tests.browser.conftest import launch
from tests.browser.steps import enrol_files, go, tile
from tests.faces import Faces
from tests.running import Service, service_process


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with service_process(tmp_path_factory.mktemp("data"), insecure=False) as service:
        yield service


@pytest.fixture
def page(playwright: Playwright, chromium_path: str) -> Iterator[Page]:
    browser = launch(playwright, chromium_path)
    page = browser.new_page(locale="en-US")
    yield page
    browser.close()


def test_the_address_that_is_printed_opens_the_page(
    page: Page, service: Service, faces: Faces
) -> None:
    page.goto(f"{service.url}/#key={service.key}")
    expect(page.locator("#model-name")).to_contain_text("Model fused")
    # It does not stay where it would be seen, or sent on.
    assert page.url == f"{service.url}/"
    assert "key" not in page.evaluate("JSON.stringify(history.state) + document.cookie")
    enrol_files(page, "barack", faces.folder / "obama.jpg")
    go(page, "People")
    expect(tile(page, "barack")).to_be_visible()
    page.reload()
    expect(tile(page, "barack")).to_be_visible()


def test_without_a_key_the_page_asks_for_one(
    page: Page, service: Service, output_folder: Path
) -> None:
    page.goto(service.url)
    dialog = page.get_by_role("dialog", name="A key, please")
    expect(dialog).to_contain_text("This service asks for a key")
    expect(dialog.get_by_label("Key")).to_be_focused()
    page.screenshot(path=output_folder / "asks-for-a-key.png")
    dialog.get_by_label("Key").fill("smb_wrong")
    page.keyboard.press("Enter")
    expect(dialog).to_contain_text("not known here")
    dialog.get_by_label("Key").fill(f" {service.key} ")
    dialog.get_by_role("button", name="Use it").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#model-name")).to_contain_text("Model fused")
    go(page, "People")
    expect(page.locator(".gallery .empty")).not_to_contain_text("key")


def test_who_has_none_is_told_so(page: Page, service: Service) -> None:
    page.goto(service.url)
    dialog = page.get_by_role("dialog", name="A key, please")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("#model-name")).to_contain_text("not known")
    go(page, "Model")
    expect(page.locator(".place.model .notice")).to_contain_text("asks for a key")
