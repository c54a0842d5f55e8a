"""Through every flow of the page, with a picture of each."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.steps import dialog, enrol, open_sheet, tile
from tests.faces import Faces

_PATIENCE_MS = 60_000

HELD = """
  // Only so many frames go out: else the ring is full before a picture of it is taken.
  window.most = 2;
  const held = [];
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (data) {
    if (data instanceof Blob && most-- <= 0) held.push([this, data]);
    else send.call(this, data);
  };
  window.letGo = () => {
    most = Infinity;
    held.forEach(([socket, data]) => send.call(socket, data));
  };
"""


def tour(page: Page, faces: Faces, shoot: Callable[[str], None]) -> None:
    """From the first visit to a deletion.

    Args:
        page: Freshly opened on a service where nobody is enrolled; before its camera is a
            head that moves (`moving_head`), with `HELD` before it.
        shoot: Takes a picture under a name.
    """
    expect(page.locator(".first")).to_be_visible()
    shoot("first")
    _add(page, shoot)
    enrol(page, "joe", faces.folder / "biden.jpg")
    enrol(page, "eileen", faces.folder / "astronaut.png")
    _verify(page, faces, shoot)
    _people(page, faces, shoot)
    page.locator("#nav a").nth(2).click()
    expect(page.locator(".det")).to_be_visible()
    shoot("model")
    page.locator("#detection-threshold").press("PageDown")
    shoot("model-moved")
    page.locator(".slider .link").first.click()


def _add(page: Page, shoot: Callable[[str], None]) -> None:
    page.locator(".first a").click()
    page.locator("#new-identity").fill("barack")
    shoot("add")
    page.locator(".people .area-person .large").click()
    expect(page.locator(".slot[data-state=taken]")).to_have_count(1, timeout=_PATIENCE_MS)
    page.wait_for_timeout(300)
    shoot("add-guided")
    expect(page.locator(".pictures li")).to_have_count(4, timeout=_PATIENCE_MS)
    expect(page.locator(".pictures [data-state=accepted]")).to_have_count(4)
    shoot("add-done")


def _verify(page: Page, faces: Faces, shoot: Callable[[str], None]) -> None:
    page.locator("#nav a").first.click()
    page.locator("#identity").fill("barack")
    page.locator("#verify").click()
    expect(page.locator(".stage[data-live]")).to_be_visible()
    page.wait_for_timeout(1500)
    shoot("verify-ring")
    page.evaluate("letGo()")
    expect(page.locator(".verdict-word")).to_be_visible(timeout=_PATIENCE_MS)
    page.wait_for_timeout(600)
    shoot("verify-yes")
    page.locator("#verify-file").set_input_files(faces.folder / "biden.jpg")
    expect(page.locator(".chart")).to_be_visible()
    page.wait_for_timeout(600)
    shoot("verify-file")
    page.locator("#identity").fill("nobody")
    page.locator("#verify-file").set_input_files(faces.folder / "biden.jpg")
    expect(page.locator(".notice")).to_be_visible()
    shoot("verify-unknown")
    page.locator("#identity").fill("joe")
    page.locator("#verify").click()
    expect(page.locator(".verdict[data-verified=false]")).to_be_visible(timeout=_PATIENCE_MS)
    page.wait_for_timeout(600)
    shoot("verify-no")


def _people(page: Page, faces: Faces, shoot: Callable[[str], None]) -> None:
    enrol(page, "barack", faces.folder / "astronaut.png")
    page.locator("#nav a").nth(1).click()
    expect(tile(page, "barack").locator("img")).to_be_visible()
    expect(page.locator(".tile img")).to_have_count(3)
    shoot("people")
    sheet = open_sheet(page, "barack")
    expect(sheet.locator(".references img").nth(3)).to_be_visible()
    shoot("person")
    for place, name in ((1, "rename"), (2, "merge"), (3, "delete")):
        sheet.locator(".sheet-actions button").nth(place).click()
        expect(dialog(page)).to_be_visible()
        shoot(f"person-{name}")
        page.keyboard.press("Escape")
    page.keyboard.press("Escape")
