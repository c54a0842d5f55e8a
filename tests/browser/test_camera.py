"""The camera: start, hints, stop, and why it may not be there."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Films, Visit
from tests.browser.steps import name_identity, start_camera, status


def test_q_stops_the_camera(visit: Visit, films: Films) -> None:
    page = visit(films.ada)
    start_camera(page)
    field = page.get_by_label("Name or id of the person")
    field.press("q")
    expect(field).to_have_value("q")
    expect(page.locator("#stage")).to_have_attribute("data-state", "live")
    page.get_by_role("button", name="Stop camera").focus()
    page.keyboard.press("q")
    expect(page.locator("#stage-message")).to_have_text("The camera is off.")
    expect(page.get_by_role("button", name="Start camera")).to_be_visible()
    assert page.locator("#video").evaluate("video => video.srcObject") is None


def test_one_detection_in_flight_and_none_while_hidden_or_stopped(
    visit: Visit, films: Films
) -> None:
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
    page.wait_for_timeout(2000)
    assert most == 1
    assert total >= 3

    hide = "hidden => Object.defineProperty(document, 'hidden', { value: hidden, writable: true })"
    page.evaluate(hide, True)
    assert _grown_by(page, lambda: total) == 0
    page.evaluate("document.hidden = false")
    assert _grown_by(page, lambda: total) > 0
    page.keyboard.press("q")
    assert _grown_by(page, lambda: total) == 0


def test_nobody_in_view(visit: Visit, films: Films) -> None:
    page = visit(films.nobody)
    start_camera(page)
    expect(page.locator("#stage-hint")).to_have_text("No face in view.")
    name_identity(page, "nobody")
    page.get_by_role("button", name="Verify", exact=True).click()
    expect(page.locator(".notice")).to_contain_text("No decision")
    expect(page.locator(".notice")).to_contain_text(re.compile("face|enrolled"))


def test_enrolment_can_be_cancelled(visit: Visit, films: Films) -> None:
    page = visit(films.nobody)
    start_camera(page)
    name_identity(page, "nobody")
    page.get_by_role("button", name="Enrol from camera").click()
    page.get_by_role("button", name="Cancel enrolment").click()
    expect(status(page)).to_have_text("Enrolment cancelled. Nothing was stored.")
    expect(page.get_by_role("button", name="Enrol from camera")).to_be_visible()


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
    expect(page.locator("#stage-message")).to_contain_text(words)
    expect(page.locator("#announcer")).to_contain_text(words)
    expect(page.get_by_role("button", name="Start camera")).to_be_visible()


def _grown_by(page: Page, count: Callable[[], int]) -> int:
    """How much a count grows in a while, once what was begun is done."""
    page.wait_for_timeout(400)
    before = count()
    page.wait_for_timeout(800)
    return count() - before
