"""The camera: start, hints, stop, and why it may not be there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Films, Visit
from tests.browser.steps import go, name_identity, stage, start_camera, verify_button
from tests.faces import Faces


def test_q_stops_the_camera(visit: Visit, films: Films) -> None:
    page = visit(films.ada)
    start_camera(page)
    field = page.get_by_label("Who is it?")
    field.press("q")
    expect(field).to_have_value("q")
    expect(stage(page)).to_have_attribute("data-state", "live")
    page.get_by_role("button", name="Stop camera").focus()
    page.keyboard.press("q")
    expect(page.locator(".stage-message:visible")).to_have_text("The camera is off.")
    expect(page.get_by_role("button", name="Start camera")).to_be_visible()
    assert page.locator("video").first.evaluate("video => video.srcObject") is None


def test_one_detection_in_flight_and_none_while_hidden_or_away(visit: Visit, films: Films) -> None:
    page = visit(films.ada)
    in_flight, most, total = 0, 0, 0

    def begin(url: str) -> None:
        nonlocal in_flight, most, total
        if url.endswith("/v1/detect"):
            in_flight, total = in_flight + 1, total + 1
            most = max(most, in_flight)

    def end(url: str) -> None:
        nonlocal in_flight
        in_flight -= url.endswith("/v1/detect")

    page.on("request", lambda request: begin(request.url))
    page.on("requestfinished", lambda request: end(request.url))
    page.on("requestfailed", lambda request: end(request.url))
    start_camera(page)
    page.wait_for_timeout(1500)
    assert most == 1
    assert total >= 3

    hide = "hidden => Object.defineProperty(document, 'hidden', { value: hidden, writable: true })"
    page.evaluate(hide, True)
    assert _grown_by(page, lambda: total) == 0
    page.evaluate("document.hidden = false")
    assert _grown_by(page, lambda: total) > 0
    # A place without a camera needs none: it goes off, its light too.
    go(page, "Model")
    assert _grown_by(page, lambda: total) == 0
    assert page.locator("video").first.evaluate("video => video.srcObject") is None
    go(page, "Verify")
    expect(page.get_by_role("button", name="Start camera")).to_be_visible()


def test_nobody_in_view(visit: Visit, films: Films, faces: Faces) -> None:
    page = visit(films.nobody)
    start_camera(page)
    expect(page.locator(".stage-hint:visible")).to_have_text("No face in view.")
    name_identity(page, "nobody")
    verify_button(page).click()
    notice = page.locator(".notice")
    expect(notice).to_contain_text("No decision")
    expect(notice).to_contain_text("Nobody is enrolled under this name.")
    expect(notice.get_by_role("link", name="Add a person")).to_be_visible()


@pytest.mark.parametrize(
    ("camera", "host", "words"),
    [
        ("refused", None, "The camera was refused"),
        ("missing", None, "No camera was found"),
        # A name other than localhost over http is no place for a camera.
        ("allowed", "semblance.test", "only to pages on https or on localhost"),
    ],
)
def test_why_there_is_no_camera(visit: Visit, camera: str, host: str | None, words: str) -> None:
    page = visit(camera=camera, host=host)
    page.get_by_role("button", name="Start camera").click()
    expect(page.locator(".stage-message")).to_contain_text(words)
    expect(page.locator("#announcer")).to_contain_text(words)
    expect(page.get_by_role("button", name="Start camera")).to_be_visible()
    name_identity(page, "ada")
    verify_button(page).click()
    expect(page.locator(".notice")).to_contain_text("use picture files")


def _grown_by(page: Page, count: Callable[[], int]) -> int:
    """How much a count grows in a while, once what was begun is done."""
    page.wait_for_timeout(400)
    before = count()
    page.wait_for_timeout(700)
    return count() - before
