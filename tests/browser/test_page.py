"""The page itself: list of identities, keyboard, narrow screens."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Films, Visit
from tests.browser.steps import enrol_files, identity_row, name_identity, start_camera, verdict
from tests.faces import Faces

PHONE = {"width": 360, "height": 780}


def test_delete_a_reference_and_an_identity(visit: Visit, faces: Faces) -> None:
    page = visit()
    enrol_files(page, "barack", *(faces.folder / f"obama{n}.jpg" for n in ("", 2, 3)))
    row = identity_row(page, "barack")
    expect(row).to_contain_text("3 references")
    row.get_by_role("button", name="barack", exact=True).click()
    expect(row.locator(".references li")).to_have_count(3)
    expect(row.locator(".references li").first).to_contain_text("obama.jpg")

    row.get_by_role("button", name="Delete reference 2").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_contain_text("2 references")
    expect(row.locator(".references li")).to_have_count(2)

    row.get_by_role("button", name="Delete barack").click()
    expect(page.get_by_role("dialog")).to_contain_text("2 references will be erased")
    page.keyboard.press("Escape")
    expect(row).to_be_visible()
    row.get_by_role("button", name="Delete barack").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(row).to_have_count(0)


def test_more_identities_than_one_page(visit: Visit, faces: Faces) -> None:
    page = visit()
    picture = faces.folder / "astronaut.png"
    for number in range(21):
        answer = page.request.post(
            page.url + "v1/enroll",
            multipart={
                "identity": f"person {number:02}",
                "images": {
                    "name": "a.png",
                    "mimeType": "image/png",
                    "buffer": picture.read_bytes(),
                },
            },
        )
        assert answer.ok, answer.text()
    page.reload()
    expect(identity_row(page, "person 19")).to_be_visible()
    expect(identity_row(page, "person 20")).to_have_count(0)
    page.get_by_role("button", name="Show more").click()
    expect(identity_row(page, "person 20")).to_be_visible()
    expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    expect(page.locator("#identity-list option")).to_have_count(21)


def test_by_keyboard_alone(visit: Visit, films: Films, faces: Faces) -> None:
    page = visit(films.ada)
    expect(page.get_by_label("Detection threshold")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the identity field")).to_be_focused()
    walk = _walk(page, 13)
    # Every stop can be seen, and the order is that of the page.
    assert walk == [
        "API documentation",
        "camera-picker",
        "camera-toggle",
        "identity",
        "verify",
        "enrol",
        "enrol-files",
        "verify-file",
        "fusion",
        "detection-threshold",
        "verification-threshold",
    ], walk

    enrol_files(page, "keyboard", faces.folder / "obama.jpg")
    start_camera(page)
    page.get_by_label("Name or id of the person").focus()
    page.keyboard.press("Enter")
    expect(verdict(page)).to_have_text("Verified as keyboard")

    identity_row(page, "keyboard").get_by_role("button", name="Delete keyboard").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(identity_row(page, "keyboard")).to_have_count(0)
    expect(page.locator("#identities-title")).to_be_focused()


def test_on_a_phone(visit: Visit, films: Films, faces: Faces, output_folder: Path) -> None:
    page = visit(films.ada, viewport=PHONE, is_mobile=True, has_touch=True, reduced_motion="reduce")
    identity = "ada.with-a-long-name@an.organisation.example"
    enrol_files(page, identity, *(faces.folder / f"obama{n}.jpg" for n in ("", 2, 3)))
    start_camera(page)
    name_identity(page, identity)
    page.get_by_role("button", name="Verify", exact=True).click()
    expect(verdict(page)).to_be_in_viewport()
    identity_row(page, identity).locator(".opener").click()
    expect(page.locator(".references li")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.screenshot(path=output_folder / "page-phone.png", full_page=True)


def test_nothing_moves_while_the_page_loads(visit: Visit) -> None:
    page = visit()
    expect(page.get_by_label("Detection threshold")).to_be_visible()
    shift = page.evaluate(
        """() => new Promise((resolve) => {
            let sum = 0;
            new PerformanceObserver((list) => {
                for (const entry of list.getEntries()) sum += entry.value;
            }).observe({ type: 'layout-shift', buffered: true });
            setTimeout(() => resolve(sum), 300);
        })"""
    )
    assert shift < 0.02


def _walk(page: Page, most: int) -> list[str]:
    """Presses Tab until the list of identities; ids or texts of the stops."""
    stops: list[str] = []
    for _ in range(most):
        page.keyboard.press("Tab")
        stop = page.evaluate(
            """() => {
                const element = document.activeElement;
                const box = element.getBoundingClientRect();
                const inList = element.closest('.area-identities') || element === document.body;
                return inList || box.width === 0 ? '' : element.id || element.textContent;
            }"""
        )
        if not stop:
            break
        stops.append(stop)
    return stops
