"""Verification of a picture, what its answer says, and how it would be with other thresholds."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.steps import enrol, go, name_identity, verdict, verify_button, verify_file
from tests.faces import Faces


def test_thresholds(visit: Visit, faces: Faces, output_folder: Path) -> None:
    page = visit()
    enrol(page, "barack", faces.folder / "obama.jpg", faces.folder / "obama2.jpg")
    stranger = faces.folder / "biden.jpg"
    asks = page.locator(".asks")
    expect(asks).to_contain_text("usual threshold 0.9646: at most about 1 in 10,000 strangers")
    assert _verified(page, "barack", stranger) == ("default", "default")
    expect(verdict(page)).to_have_text("Not verified as barack")
    expect(page.locator(".facts:visible")).to_contain_text(re.compile("the model.s default"))
    expect(page.locator(".facts:visible")).to_contain_text("1 in 10,000 strangers")
    expect(page.locator("[data-stage=embed] dd")).to_have_text(re.compile(r"^[\d.]+ ms$"))
    note = page.locator(".redecided")
    expect(note).to_be_hidden()

    # The loosest threshold: the shown scores now match, without a request.
    asks.get_by_role("link", name="Change").click()
    detection = page.get_by_label("Detection threshold")
    expect(detection).to_be_visible()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    detection.press("Home")
    expect(page.locator("#detection-meaning")).to_contain_text("More than 1 in 100 strangers")
    go(page, "Verify")
    expect(asks).to_contain_text("what you chose on this page")
    expect(verdict(page)).to_have_text("Verified as barack")
    expect(note).to_contain_text("The service answered: not verified (0 of 2 references)")
    page.screenshot(path=output_folder / "redecided.png", full_page=True)

    # Strictly greater: all of two is not more than all.
    go(page, "Model")
    page.get_by_label("Verification threshold").press("End")
    go(page, "Verify")
    expect(verdict(page)).to_have_text("Verified as barack")
    expect(page.locator(".verdict-share")).to_contain_text("2 needed")
    assert [url for url in sent if "v1/verify" in url] == []

    assert _verified(page, "barack", stranger) == ("request", "request")
    expect(note).to_be_hidden()
    expect(page.locator(".facts:visible")).to_contain_text("chosen on this page")

    go(page, "Model")
    for _ in range(2):
        page.get_by_role("button", name="use the default").first.click()
    expect(page.get_by_role("button", name="use the default")).to_have_count(0)
    go(page, "Verify")
    expect(verdict(page)).to_have_text("Not verified as barack")
    expect(asks).to_contain_text("usual threshold")


def test_the_rule_for_several_references(visit: Visit, faces: Faces) -> None:
    page = visit()
    pictures = [faces.folder / name for name in ("obama.jpg", "obama2.jpg", "astronaut.png")]
    enrol(page, "mixed", *pictures)
    one_of_three = faces.folder / "astronaut.png"
    _verified(page, "mixed", one_of_three)
    expect(verdict(page)).to_have_text("Not verified as mixed")
    expect(page.locator(".verdict-share")).to_contain_text("1 of 3 references match")

    # The answer on show keeps its rule; the next one has the new.
    go(page, "Model")
    rule = page.get_by_label("Rule for several references")
    expect(rule.locator("option:checked")).to_have_text("Share of references that match (default)")
    rule.select_option("Best reference")
    expect(page.get_by_label("Verification threshold")).to_be_hidden()
    expect(page.locator("#detection-meaning")).to_contain_text("for this rule")
    go(page, "Verify")
    expect(page.locator(".asks")).to_contain_text("Best reference")
    expect(verdict(page)).to_have_text("Not verified as mixed")
    assert _verified(page, "mixed", one_of_three)[0] == "default"
    expect(verdict(page)).to_have_text("Verified as mixed")
    expect(page.locator(".verdict-share")).to_contain_text("Fused score >0.999999")
    expect(page.locator(".verdict-share")).to_contain_text("best reference of 3 references")
    expect(page.locator(".facts:visible")).to_contain_text("False verdicts")
    expect(page.locator(".facts:visible")).not_to_contain_text("Verification threshold")

    go(page, "Model")
    rule.select_option("One template of all references")
    go(page, "Verify")
    _verified(page, "mixed", faces.folder / "biden.jpg")
    expect(verdict(page)).to_have_text("Not verified as mixed")
    expect(page.locator(".verdict-share")).to_contain_text("template of 3 references")
    go(page, "Model")
    page.get_by_label("Detection threshold").press("Home")
    go(page, "Verify")
    expect(verdict(page)).to_have_text("Verified as mixed")
    expect(page.locator(".redecided")).to_have_text(re.compile("answered: not verified.$"))
    go(page, "Model")
    page.get_by_role("button", name="use the default").click()
    rule.select_option("Share of references that match (default)")
    expect(page.get_by_label("Verification threshold")).to_be_visible()
    expect(page.locator("#detection-meaning")).to_contain_text("1 in 10,000 strangers")


def test_a_problem_of_the_service_is_told_in_words(visit: Visit, faces: Faces) -> None:
    page = visit()
    verify_file(page, "never-enrolled", faces.folder / "obama.jpg")
    expect(page.locator(".notice")).to_contain_text("No decision")
    expect(page.locator(".notice")).to_contain_text("Nobody is enrolled under this name")
    expect(page.locator("#announcer")).to_contain_text("No decision")

    name_identity(page, "")
    verify_button(page).click()
    expect(page.locator("#identity-error")).to_have_text("Enter a name or id first.")
    expect(page.get_by_label("Who is it?")).to_be_focused()


def _verified(page: Page, identity: str, file: Path) -> tuple[str, str]:
    """Where the service says that the two thresholds came from."""
    with page.expect_response("**/v1/verify") as answered:
        verify_file(page, identity, file)
    answer = answered.value.json()
    return answer["detection_threshold"]["source"], answer["verification_threshold"]["source"]
