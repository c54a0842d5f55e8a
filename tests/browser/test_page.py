"""The page as a whole: how much it loads, what moves, phones, languages, offline."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.browser.conftest import PHONE, Films, Visit, launch
from tests.browser.steps import (
    enrol,
    enrol_files,
    go,
    name_identity,
    open_sheet,
    start_camera,
    verdict,
    verify_button,
)
from tests.faces import Faces
from tests.running import service_process

_SHIFTS = """
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources } of list.getEntries()) {
      const nodes = sources.map(({ node }) => node?.className || node?.nodeName);
      if (!hadRecentInput) shifts.push([value, nodes.join(' ')]);
    }
  }).observe({ type: 'layout-shift', buffered: true });
"""


def test_the_first_visit_transfers_little(
    browsers: Callable[..., Browser], service_url: str
) -> None:
    context = browsers().new_context(locale="en-US")
    page = context.new_page()
    sizes: dict[str, int] = {}
    addresses: dict[str, str] = {}
    session = context.new_cdp_session(page)
    session.on(
        "Network.responseReceived",
        lambda event: addresses.update({event["requestId"]: event["response"]["url"]}),
    )
    session.on(
        "Network.loadingFinished",
        lambda event: sizes.update({event["requestId"]: int(event["encodedDataLength"])}),
    )
    session.send("Network.enable")
    page.goto(service_url)
    expect(page.locator(".asks")).to_contain_text("threshold")
    page.wait_for_timeout(500)
    named = {addresses[key].rsplit("/", 1)[-1]: size for key, size in sizes.items()}
    print(f"first visit: {sum(sizes.values())} bytes in {len(sizes)} answers")
    assert {"main.js", "en.json", "style.css", "model"} <= set(named)
    # Headers and the API's answers are in it.
    assert sum(sizes.values()) < 100_000, named
    # Places that nobody asked for are not.
    assert "gallery.js" not in named
    assert "det.js" not in named
    assert all(address.startswith(service_url) for address in addresses.values())
    context.close()


# Until the worker has all files and looks after this page.
_KEPT = """() => new Promise((resolve) => {
  if (navigator.serviceWorker.controller) resolve();
  else navigator.serviceWorker.addEventListener('controllerchange', () => resolve());
})"""


@pytest.mark.parametrize(
    "phone",
    [pytest.param(False, id="desktop"), pytest.param(True, id="phone", marks=pytest.mark.long)],
)
def test_nothing_moves_by_itself(
    visit: Visit, films: Films, faces: Faces, nobody: None, phone: bool
) -> None:
    """Through every flow: what is on the screen stays where it is."""
    look = {"viewport": PHONE, "is_mobile": True, "has_touch": True} if phone else {}
    page = visit(films.ada, script=_SHIFTS, **look)
    expect(page.locator(".first")).to_be_visible()
    enrol_files(page, "ada", faces.folder / "obama.jpg", faces.folder / "obama2.jpg")
    expect(page.get_by_role("link", name="Verify now")).to_be_visible()
    go(page, "People")
    sheet = open_sheet(page, "ada")
    expect(sheet.locator(".references img")).to_have_count(2)
    page.keyboard.press("Escape")
    go(page, "Model")
    expect(page.locator(".det")).to_be_visible()
    page.get_by_label("Detection threshold").press("Home")
    page.get_by_role("button", name="use the default").first.click()
    go(page, "Verify")
    start_camera(page)
    name_identity(page, "ada")
    verify_button(page).click()
    expect(verdict(page)).to_have_text("Verified as ada", timeout=30_000)
    page.wait_for_timeout(700)
    shifts = page.evaluate("shifts")
    assert sum(value for value, _ in shifts) < 0.01, shifts


def test_on_a_phone(
    visit: Visit, films: Films, faces: Faces, nobody: None, output_folder: Path
) -> None:
    page = visit(films.ada, viewport=PHONE, is_mobile=True, has_touch=True, reduced_motion="reduce")
    identity = "ada.with-a-long-name@an.organisation.example"
    enrol(page, identity, *(faces.folder / f"obama{n}.jpg" for n in ("", 2, 3)))
    # Field, button and face are in one view.
    expect(verify_button(page)).to_be_in_viewport()
    name_identity(page, identity)
    verify_button(page).tap()
    expect(page.locator(".stage")).to_be_in_viewport(ratio=0.9)
    expect(verdict(page)).to_be_in_viewport(timeout=30_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.screenshot(path=output_folder / "page-phone.png", full_page=True)
    go(page, "People")
    open_sheet(page, identity)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.screenshot(path=output_folder / "sheet-phone.png")


@pytest.mark.parametrize(
    ("locale", "direction", "verify", "number"),
    [
        ("fr-CA", "ltr", "Vérifier", "10 000"),
        ("es", "ltr", "Verificar", "10"),
        ("de", "ltr", "Verify", "10,000"),
    ],
)
def test_the_browsers_language_is_spoken(
    visit: Visit, locale: str, direction: str, verify: str, number: str
) -> None:
    page = visit(locale=locale)
    expect(verify_button(page)).to_have_text(verify)
    expect(page.locator(".asks")).to_contain_text(number)
    assert page.locator("html").get_attribute("dir") == direction


def test_arabic_is_written_from_right_to_left_and_the_choice_is_remembered(visit: Visit) -> None:
    page = visit()
    expect(verify_button(page)).to_have_text("Verify")
    page.get_by_label("Language").select_option("العربية")
    expect(verify_button(page)).to_have_text("تحقّق")
    assert page.locator("html").get_attribute("dir") == "rtl"
    brand, language = (page.locator(name).bounding_box() for name in (".brand", "#language"))
    assert brand
    assert language
    assert brand["x"] > language["x"]
    page.reload()
    expect(verify_button(page)).to_have_text("تحقّق")
    page.locator("#language").select_option("en")
    expect(verify_button(page)).to_have_text("Verify")


@pytest.fixture
def alone(playwright: Playwright, chromium_path: str) -> Iterator[Page]:
    browser = launch(playwright, chromium_path)
    yield browser.new_page(locale="en-US")
    browser.close()


def test_it_opens_without_the_service_and_is_never_of_before(alone: Page, tmp_path: Path) -> None:
    page = alone
    with service_process(tmp_path / "a") as service:
        page.goto(service.url)
        port = service.url.rsplit(":", 1)[-1]
        page.evaluate(_KEPT)
        # Nothing that the API said is kept.
        kept = page.evaluate(
            """async () => {
                const names = await caches.keys();
                const caches_ = await Promise.all(names.map((name) => caches.open(name)));
                const requests = (await Promise.all(caches_.map((one) => one.keys()))).flat();
                return requests.map(({ url }) => new URL(url).pathname);
            }"""
        )
        assert "/" in kept
        assert "/static/js/people/place.js" in kept
        assert [path for path in kept if path != "/" and not path.startswith("/static/")] == []

    page.reload()
    expect(verify_button(page)).to_have_text("Verify")
    expect(page.locator("#offline")).to_contain_text("The service cannot be reached")
    expect(page.locator("#model-name")).to_contain_text("not known")
    # Also the places that were never opened.
    go(page, "People")
    expect(page.locator(".gallery .empty")).to_contain_text("could not be reached")

    with service_process(tmp_path / "b", port=port):
        expect(page.locator("#offline")).to_be_hidden(timeout=15_000)
        expect(page.locator("#model-name")).to_contain_text("Model fused")
        # As after an upgrade: what the worker has kept is of another day.
        page.evaluate(
            """async () => {
                const [name] = await caches.keys();
                const cache = await caches.open(name);
                await cache.put('/', new Response('<p id=old>of before</p>', {
                    headers: { 'Content-Type': 'text/html' },
                }));
            }"""
        )
        page.reload()
        expect(page.get_by_role("heading", name="People")).to_be_visible()
        expect(page.locator("#old")).to_have_count(0)
    # The proof that it was there: without the service it is all there is.
    page.reload()
    expect(page.locator("#old")).to_have_text("of before")
