"""Live verification before the camera: one person, the same later, another, nobody."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Films, Visit
from tests.browser.steps import enrol, name_identity, stage, start_camera, verdict, verify_button
from tests.faces import Faces

BUSY_MS = 30_000
# A browser does not tell its debugger of frames that are sent as a Blob.
_COUNTED = """
  window.counted = { sizes: [], most: 0, underWay: 0 };
  const { send } = WebSocket.prototype;
  WebSocket.prototype.send = function (data) {
    if (data instanceof Blob) {
      if (!counted.sizes.length) this.addEventListener('message', ({ data: text }) => {
        const { type, skipped = 0 } = JSON.parse(text);
        if (type === 'frame') counted.underWay -= 1 + skipped;
      });
      counted.sizes.push(data.size);
      counted.underWay += 1;
      counted.most = Math.max(counted.most, counted.underWay);
    }
    return send.call(this, data);
  };
"""


def test_a_person_and_another(
    visit: Visit, films: Films, faces: Faces, output_folder: Path
) -> None:
    page = visit(films.ada)
    enrol(page, "ada", *(faces.folder / f"obama{n}.jpg" for n in ("", 2)))
    heard = listen(page)
    # One button does it all: it starts the camera, too.
    name_identity(page, "ada")
    verify_button(page).click()
    expect(verdict(page)).to_have_text("Verified as ada", timeout=BUSY_MS)
    expect(page.locator(".stage-banner")).to_contain_text("Verified as ada")
    expect(page.locator(".verdict-share")).to_contain_text("frames matched")
    expect(page.locator("#announcer")).to_contain_text("Verified as ada")
    expect(verify_button(page)).to_have_text("Verify")
    page.screenshot(path=output_folder / "live-desktop.png")
    assert heard[0]["type"] == "ready"
    frames = [item for item in heard if item["type"] == "frame"]
    assert len(frames) >= 3
    assert all(item["face"]["landmarks"] for item in frames)
    assert heard[-1] == {**heard[-1], "type": "result", "verified": True, "identity": "ada"}

    later = visit(films.ada_later)
    _verify_by_key(later, "ada")
    expect(verdict(later)).to_have_text("Verified as ada", timeout=BUSY_MS)

    other = visit(films.bob, color_scheme="dark")
    _verify_by_key(other, "ada")
    expect(verdict(other)).to_have_text("Not verified as ada", timeout=BUSY_MS)
    expect(other.locator(".verdict-share")).to_contain_text("0 of")
    expect(other.locator(".verdict-share")).to_contain_text("does not look like")
    other.screenshot(path=output_folder / "live-dark.png")


def test_frames_are_small_and_never_more_than_two_under_way(
    visit: Visit, films: Films, faces: Faces
) -> None:
    page = visit(films.bob, script=_COUNTED)
    enrol(page, "ada", faces.folder / "obama.jpg")
    name_identity(page, "ada")
    verify_button(page).click()
    expect(verdict(page)).to_have_text("Not verified as ada", timeout=BUSY_MS)
    sizes, most = page.evaluate("[counted.sizes, counted.most]")
    assert len(sizes) >= 5
    assert most <= 2
    # 640 pixels of the longer side at most, as JPEG.
    assert 5_000 < max(sizes) < 120_000


def test_it_says_what_is_in_the_way_and_can_be_stopped(
    visit: Visit, films: Films, faces: Faces
) -> None:
    page = visit(films.nobody)
    enrol(page, "ada", faces.folder / "obama.jpg")
    name_identity(page, "ada")
    verify_button(page).click()
    expect(page.locator(".stage-hint")).to_have_text("No face in view.")
    expect(verify_button(page)).to_have_text("Stop")
    verify_button(page).click()
    expect(verify_button(page)).to_have_text("Verify")
    expect(stage(page)).to_have_attribute("data-state", "live")
    expect(page.locator(".stage-banner")).to_be_hidden()
    # Again, and away from the camera altogether.
    verify_button(page).click()
    expect(verify_button(page)).to_have_text("Stop")
    page.keyboard.press("q")
    expect(verify_button(page)).to_have_text("Verify")
    expect(page.locator(".stage-message")).to_have_text("The camera is off.")


def listen(page: Page) -> list[dict[str, Any]]:
    """What the service says on streams of the page, as it comes."""
    heard: list[dict[str, Any]] = []
    page.on(
        "websocket",
        lambda socket: socket.on("framereceived", lambda data: heard.append(json.loads(data))),
    )
    return heard


def _verify_by_key(page: Page, identity: str) -> None:
    start_camera(page)
    field = page.get_by_label("Who is it?")
    field.fill(identity)
    # A letter typed into the field is a letter, not a command.
    field.press("End")
    field.press("v")
    expect(field).to_have_value(f"{identity}v")
    field.press("Backspace")
    page.get_by_role("button", name="Stop camera").focus()
    page.keyboard.press("v")
    expect(verdict(page)).to_be_visible(timeout=BUSY_MS)
