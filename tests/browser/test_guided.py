"""What the page guides a person through: enrolment, and movements that show who is there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from model.artifact import Artifact
from model.faces import Detector
from tests.browser.conftest import PHONE, Films, Visit
from tests.browser.moving_head import moving_head
from tests.browser.steps import (
    ENROLMENT_MS,
    enrol,
    go,
    name_identity,
    open_adding,
    open_sheet,
    stage,
    status,
    verdict,
    verify_button,
    verify_file,
)
from tests.browser.test_live import listen
from tests.faces import Faces
from tests.running import running_service

BUSY_MS = 60_000


@pytest.fixture(scope="module")
def detector(sface_artifact: Artifact) -> Detector:
    return Detector(sface_artifact.detector)


@pytest.fixture(scope="module")
def head(faces: Faces, detector: Detector) -> str:
    return moving_head(faces.read("obama.jpg"), detector)


def test_four_pictures_are_taken_by_themselves(
    visit: Visit, head: str, nobody: None, output_folder: Path
) -> None:
    page = visit(script=head, at="people/add")
    page.get_by_label("Name or id of the person").fill("ada")
    page.get_by_role("button", name="Take pictures").click()
    expect(slot(page, "Left")).to_have_attribute("data-state", "asked", timeout=BUSY_MS)
    expect(page.locator(".stage-guide")).to_have_attribute("data-way", "left")
    page.screenshot(path=output_folder / "guided.png")
    expect(status(page)).to_have_text("4 of 4 accepted. ada has 4 references now.", timeout=BUSY_MS)
    expect(page.locator(".slot[data-state=taken]")).to_have_count(4)
    expect(page.locator(".stage-guide")).to_be_hidden()
    go(page, "People")
    sheet = open_sheet(page, "ada")
    # They are different pictures of one person, and named for what they show.
    expect(sheet.locator(".references li")).to_have_count(4)
    expect(sheet.locator(".references")).to_contain_text("left.jpg")
    expect(sheet.locator(".outlier")).to_have_count(0)


def test_who_cannot_turn_the_head_goes_on(visit: Visit, films: Films, nobody: None) -> None:
    page = visit(films.ada_later, at="people/add")
    page.get_by_label("Name or id of the person").fill("still")
    page.get_by_role("button", name="Take pictures").click()
    expect(slot(page, "Left")).to_have_attribute("data-state", "asked", timeout=ENROLMENT_MS)
    # It says why it takes no frame.
    expect(page.locator(".stage-hint:visible")).to_have_text("Turn your head to your left.")
    for name in ("Left", "Right", "Up"):
        expect(slot(page, name)).to_have_attribute("data-state", "asked")
        page.get_by_role("button", name="Skip this one").click()
        expect(slot(page, name)).to_have_attribute("data-state", "skipped")
    expect(status(page)).to_have_text("1 of 1 accepted. still has 1 reference now.")


def test_enrolment_can_be_cancelled_and_says_what_is_wrong(visit: Visit, films: Films) -> None:
    page = visit(films.nobody)
    open_adding(page)
    page.get_by_role("button", name="Take pictures").click()
    expect(page.locator("#new-identity-error")).to_have_text("Enter a name or id first.")
    page.get_by_label("Name or id of the person").fill("nobody")
    page.get_by_role("button", name="Take pictures").click()
    expect(stage(page)).to_have_attribute("data-state", "live")
    expect(page.locator(".stage-hint:visible")).to_have_text("No face in view.")
    page.get_by_role("button", name="Cancel").click()
    expect(status(page)).to_have_text("Cancelled. Nothing was stored.")
    page.get_by_role("button", name="Take pictures").click()
    # Away, and the camera goes off.
    go(page, "Verify")
    go(page, "People")
    page.get_by_role("link", name="Add a person").click()
    expect(status(page)).to_have_text("The camera stopped. Nothing was stored.")
    expect(page.get_by_role("button", name="Take pictures")).to_be_visible()


@pytest.fixture(scope="module")
def demanding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service that verifies only who shows to be there."""
    with running_service(tmp_path_factory.mktemp("live"), require_liveness=True) as url:
        yield url


def test_movements_show_that_somebody_is_there(
    visit: Visit, head: str, faces: Faces, demanding: str, output_folder: Path
) -> None:
    page = visit(script=head, service=demanding, viewport=PHONE)
    enrol(page, "ada", *(faces.folder / f"obama{n}.jpg" for n in ("", 2, 3)))
    heard = listen(page)
    said: list[str | bytes] = []

    def keep(payload: str | bytes) -> None:
        said.append(payload)

    page.on("websocket", lambda socket: socket.on("framesent", keep))
    expect(page.locator(".asks")).to_contain_text("threshold")
    name_identity(page, "ada")
    verify_button(page).click()
    expect(page.locator(".stage-task")).to_contain_text("Look straight ahead.")
    expect(page.locator(".stage-task")).to_contain_text("1 of 4")
    expect(page.locator("#announcer")).to_contain_text("Look straight ahead.")
    expect(page.locator(".stage-guide")).to_be_visible(timeout=BUSY_MS)
    page.screenshot(path=output_folder / "movements-phone.png")
    expect(page.locator(".verdict, .notice")).to_be_visible(timeout=BUSY_MS)
    if not verdict(page).is_visible():
        # On a machine with much else to do a movement may not be seen: one tries again.
        expect(page.locator(".notice")).to_contain_text("Try again")
        verify_button(page).click()
    expect(verdict(page)).to_have_text("Verified as ada", timeout=BUSY_MS)
    expect(page.locator(".stage-task")).to_be_hidden()
    results = [item for item in heard if item["type"] == "result"][-2:]
    assert [item.get("live") for item in results] == [True, None]
    assert results[1]["verified"]
    # What was shown is what is verified with: the token of one is sent with the other.
    firsts = [json.loads(text) for text in said if isinstance(text, str) and text.startswith("{")][
        -2:
    ]
    assert [first.get("liveness_token") for first in firsts] == [None, results[0]["token"]]


def test_who_does_not_move_is_told_why(
    visit: Visit, faces: Faces, detector: Detector, demanding: str
) -> None:
    still = moving_head(faces.read("obama.jpg"), detector, still=True)
    page = visit(script=still, service=demanding)
    enrol(page, "ada", faces.folder / "obama.jpg")
    expect(page.locator(".asks")).to_contain_text("threshold")
    name_identity(page, "ada")
    verify_button(page).click()
    expect(page.locator(".notice")).to_contain_text("No decision", timeout=BUSY_MS)
    expect(page.locator(".notice")).to_contain_text("There was no movement in time.")
    # A picture file shows nobody who is there.
    verify_file(page, "ada", faces.folder / "obama2.jpg")
    expect(page.locator(".notice")).to_contain_text("press Verify and follow the arrows")


def slot(page: Page, name: str) -> Locator:
    return page.locator(".slot").filter(has_text=name)
