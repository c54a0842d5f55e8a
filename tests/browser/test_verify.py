"""Enrolment and verification by one person, and the refusal of another."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Films, Visit
from tests.browser.steps import (
    ENROLMENT_MS,
    enrol_files,
    identity_row,
    name_identity,
    start_camera,
    status,
    verdict,
)
from tests.faces import Faces


def test_enrol_and_verify_from_the_camera(visit: Visit, films: Films, output_folder: Path) -> None:
    page = visit(films.ada)
    start_camera(page)
    name_identity(page, "ada")
    page.get_by_role("button", name="Enrol from camera").click()
    expect(status(page)).to_have_text(
        "5 of 5 pictures accepted. ada has 5 references now.", timeout=ENROLMENT_MS
    )
    expect(page.locator(".pictures [data-state=accepted]")).to_have_count(5)
    expect(identity_row(page, "ada")).to_contain_text("5 references")

    page.get_by_role("button", name="Verify", exact=True).click()
    expect(verdict(page)).to_have_text("Verified as ada")
    expect(page.locator(".verdict-share")).to_contain_text("5 of 5 references match")
    expect(page.locator(".facts")).to_contain_text(re.compile("the model.s default"))
    expect(page.locator(".facts")).to_contain_text("1 in 10,000 strangers")
    expect(page.locator("[data-stage=embed] dd")).to_have_text(re.compile(r"^[\d.]+ ms$"))
    page.screenshot(path=output_folder / "page-desktop.png", full_page=True)

    later = visit(films.ada_later)
    _verify_by_key(later, "ada")
    expect(verdict(later)).to_have_text("Verified as ada")

    other = visit(films.bob, color_scheme="dark")
    _verify_by_key(other, "ada")
    expect(verdict(other)).to_have_text("Not verified as ada")
    expect(other.locator(".bars [data-matched=true]")).to_have_count(0)
    other.screenshot(path=output_folder / "page-dark.png", full_page=True)


def test_thresholds(visit: Visit, faces: Faces) -> None:
    page = visit()
    enrol_files(page, "barack", faces.folder / "obama.jpg", faces.folder / "obama2.jpg")
    stranger = faces.folder / "biden.jpg"
    assert _verify_file(page, stranger) == ("default", "default")
    expect(verdict(page)).to_have_text("Not verified as barack")
    note = page.locator(".redecided")
    expect(note).to_be_hidden()

    # The loosest threshold: the shown scores now match, without a request.
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    page.get_by_label("Detection threshold").press("Home")
    expect(verdict(page)).to_have_text("Verified as barack")
    expect(note).to_contain_text("The service answered: not verified, 0 of 2 references")
    expect(page.locator(".slider").first).to_contain_text("more than 1 in", ignore_case=True)
    assert sent == []

    # Strictly greater: all of two is not more than all.
    page.get_by_label("Verification threshold").press("End")
    expect(verdict(page)).to_have_text("Verified as barack")
    expect(page.locator(".verdict-share")).to_contain_text("2 needed")

    assert _verify_file(page, stranger) == ("request", "request")
    expect(note).to_be_hidden()
    expect(page.locator(".facts")).to_contain_text("set with the slider")

    for _ in range(2):
        page.get_by_role("button", name="use model default").first.click()
    expect(verdict(page)).to_have_text("Not verified as barack")
    expect(page.get_by_role("button", name="use model default")).to_have_count(0)


def test_the_rule_for_several_references(visit: Visit, faces: Faces, output_folder: Path) -> None:
    page = visit()
    pictures = [faces.folder / name for name in ("obama.jpg", "obama2.jpg", "astronaut.png")]
    enrol_files(page, "mixed", *pictures)
    one_of_three = faces.folder / "astronaut.png"
    detection = page.get_by_label("Detection threshold")
    _verify_file(page, one_of_three)
    expect(verdict(page)).to_have_text("Not verified as mixed")
    expect(page.locator(".verdict-share")).to_contain_text("1 of 3 references match")

    # The answer on show keeps its rule; the next one has the new.
    rule = page.get_by_label("Rule for several references")
    expect(rule.locator("option:checked")).to_have_text("Share of references that match (default)")
    rule.select_option("Best reference")
    expect(page.get_by_label("Verification threshold")).to_be_hidden()
    expect(page.locator("#detection-meaning")).to_contain_text("for this rule")
    expect(verdict(page)).to_have_text("Not verified as mixed")
    assert _verify_file(page, one_of_three)[0] == "default"
    expect(verdict(page)).to_have_text("Verified as mixed")
    expect(page.locator(".verdict-share")).to_contain_text("Fused score >0.999999")
    expect(page.locator(".verdict-share")).to_contain_text("best reference of 3 references")
    expect(page.locator(".facts")).to_contain_text("False verdicts")
    expect(page.locator(".facts")).not_to_contain_text("Verification threshold")
    page.screenshot(path=output_folder / "page-fusion.png", full_page=True)

    rule.select_option("One template of all references")
    _verify_file(page, faces.folder / "biden.jpg")
    expect(verdict(page)).to_have_text("Not verified as mixed")
    expect(page.locator(".verdict-share")).to_contain_text("template of 3 references")
    detection.press("Home")
    expect(verdict(page)).to_have_text("Verified as mixed")
    expect(page.locator(".redecided")).to_have_text(re.compile("answered: not verified.$"))
    page.get_by_role("button", name="use model default").click()
    expect(verdict(page)).to_have_text("Not verified as mixed")

    rule.select_option("Share of references that match (default)")
    expect(page.get_by_label("Verification threshold")).to_be_visible()
    expect(page.locator("#detection-meaning")).to_contain_text("1 in 10,000 strangers")


def test_files_are_accepted_and_rejected_one_by_one(
    visit: Visit, faces: Faces, tmp_path: Path
) -> None:
    text = tmp_path / "notes.jpg"
    text.write_text("no picture at all")
    page = visit()
    enrol_files(page, "astronaut", faces.folder / "astronaut.png", text)
    expect(status(page)).to_contain_text("1 of 2 pictures accepted")
    expect(page.locator(".pictures li").nth(0)).to_contain_text("Accepted, quality")
    expect(page.locator(".pictures li").nth(1)).to_contain_text("Rejected: ")

    enrol_files(page, "nobody", text)
    expect(page.locator(".pictures li")).to_contain_text("Rejected: ")
    expect(identity_row(page, "nobody")).to_have_count(0)


def test_a_problem_of_the_service_is_told_in_words(visit: Visit, faces: Faces) -> None:
    page = visit()
    name_identity(page, "never-enrolled")
    page.get_by_label("Verify a file").set_input_files(faces.folder / "obama.jpg")
    expect(page.locator(".notice")).to_contain_text("No decision")
    expect(page.locator(".notice")).to_contain_text("enrolled")
    expect(page.locator("#announcer")).to_contain_text("No decision")

    name_identity(page, "")
    page.get_by_role("button", name="Verify", exact=True).click()
    expect(page.locator("#identity-error")).to_have_text("Enter an identity first.")
    expect(page.get_by_label("Name or id of the person")).to_be_focused()


def _verify_by_key(page: Page, identity: str) -> None:
    start_camera(page)
    field = page.get_by_label("Name or id of the person")
    field.fill(identity)
    # A letter typed into the field is a letter, not a command.
    field.press("End")
    field.press("v")
    expect(field).to_have_value(f"{identity}v")
    field.press("Backspace")
    page.get_by_role("button", name="Stop camera").focus()
    page.keyboard.press("v")
    expect(verdict(page)).to_be_visible()


def _verify_file(page: Page, file: Path) -> tuple[str, str]:
    """Where the service says that the two thresholds came from."""
    with page.expect_response("**/v1/verify") as answered:
        page.get_by_label("Verify a file").set_input_files(file)
    answer = answered.value.json()
    return answer["detection_threshold"]["source"], answer["verification_threshold"]["source"]
