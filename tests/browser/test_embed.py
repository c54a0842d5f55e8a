"""<semblance-verify> on a page of another origin, with a camera, as docs/embed.md says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import jwt
import pytest
from playwright.sync_api import Page, Playwright, expect

from model.artifact import Artifact
from model.faces import Detector
from tests.browser.conftest import Films, _camera, _listen, launch
from tests.browser.moving_head import moving_head
from tests.browser.other_site import OtherSite, other_site
from tests.faces import Faces
from tests.integration.api_client import enrol
from tests.integration.commands import new_key
from tests.running import Service, running_service, service_process

ISSUER = "https://faces.example"


@dataclass(frozen=True)
class World:
    """A service, a site that it knows, and one that it does not."""

    service: Service
    shop: OtherSite
    stranger: OtherSite


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, faces: Faces) -> Iterator[World]:
    data_dir = tmp_path_factory.mktemp("data")
    with other_site() as shop, other_site() as stranger:
        settings = {"insecure": False, "cors_origins": shop.origin, "issuer": ISSUER}
        with service_process(data_dir, **settings) as service:
            headers = {"X-API-Key": service.key}
            with httpx.Client(base_url=service.url, headers=headers, timeout=60) as boss:
                enrol(boss, "ada", faces.read("obama.jpg"), faces.read("obama2.jpg"))
            for site in (shop, stranger):
                site.know(service.url, new_key(data_dir, "verify"), f"{ISSUER}/default")
            yield World(service, shop, stranger)


@pytest.fixture(scope="module")
def detector(sface_artifact: Artifact) -> Detector:
    return Detector(sface_artifact.detector)


@pytest.fixture
def visit(playwright: Playwright, chromium_path: str) -> Iterator[Visit]:
    with ExitStack() as stack:
        visit = Visit(playwright, chromium_path, stack, [])
        yield visit
    assert visit.complaints == []


@dataclass(frozen=True)
class Visit:
    playwright: Playwright
    chromium_path: str
    stack: ExitStack
    complaints: list[str]

    def __call__(
        self,
        site: OtherSite,
        film: Path | None,
        *,
        camera: str = "allowed",
        script: str = "",
        **context: object,
    ) -> Page:
        browser = launch(self.playwright, self.chromium_path, *_camera(film, camera))
        self.stack.callback(browser.close)
        page = browser.new_context(**context).new_page()  # type: ignore[arg-type]
        _listen(page, self.complaints)
        page.add_init_script(script)
        page.goto(site.origin)
        return page


def begin(page: Page, name: str = "Verify with the camera") -> None:
    page.get_by_role("button", name=name).click()


def words(page: Page) -> str:
    return page.get_by_role("status").inner_text()


def test_the_person_is_let_in_by_the_sites_own_server(
    world: World, visit: Visit, films: Films, output_folder: Path
) -> None:
    page = visit(world.shop, films.ada_later)
    element = page.locator("semblance-verify")
    expect(element.get_by_role("region", name="Face verification")).to_be_visible()
    page.screenshot(path=output_folder / "embed-idle.png")
    begin(page)
    expect(page.locator("#said")).to_have_text("Welcome, ada.")
    expect(page.get_by_role("status")).to_have_text("Verified.")
    assert element.evaluate("face => face.state") == "verified"
    # The camera is off.
    assert element.evaluate("face => face.shadowRoot.querySelector('video').srcObject") is None
    page.screenshot(path=output_folder / "embed-verified.png")
    (told,) = page.evaluate("told")
    assert told["verified"] is True
    # The same result again, as from somebody who has listened: each is good once.
    again = page.evaluate(
        "async (body) => (await fetch('/check', {method: 'POST', body})).text()", told["signed"]
    )
    assert again == "No: PermissionError"
    changed = told["signed"][:-6] + "AAAAAA"
    again = page.evaluate(
        "async (body) => (await fetch('/check', {method: 'POST', body})).text()", changed
    )
    assert again == "No: InvalidSignatureError"


def test_somebody_else_is_not_whatever_the_page_makes_of_it(
    world: World, visit: Visit, films: Films, output_folder: Path
) -> None:
    page = visit(world.shop, films.bob, color_scheme="dark")
    page.evaluate("document.documentElement.style.colorScheme = 'light dark'")
    begin(page)
    expect(page.locator("#said")).to_have_text("No: PermissionError", timeout=30_000)
    expect(page.get_by_role("status")).to_have_text("Not verified.")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    page.screenshot(path=output_folder / "embed-refused-dark.png")


@contextmanager
def strict_site(folder: Path, faces: Faces) -> Iterator[OtherSite]:
    """The service demands liveness; neither the page nor its server's code says so."""
    settings = {"insecure": False, "issuer": ISSUER, "require_liveness": True}
    with (
        other_site() as site,
        service_process(folder, cors_origins=site.origin, **settings) as service,
        httpx.Client(base_url=service.url, headers={"X-API-Key": service.key}) as boss,
    ):
        enrol(boss, "ada", faces.read("obama.jpg"), faces.read("obama2.jpg"))
        site.know(service.url, new_key(folder, "verify"), f"{ISSUER}/default")
        yield site


def test_where_it_is_demanded_movements_come_first(
    tmp_path: Path, visit: Visit, faces: Faces, detector: Detector, output_folder: Path
) -> None:
    with strict_site(tmp_path, faces) as site:
        page = visit(site, None, script=moving_head(faces.read("obama.jpg"), detector))
        begin(page)
        arrow = page.locator("semblance-verify .arrow")
        expect(arrow).to_have_text(re.compile("[←→↑↓⊕⊖]"), timeout=20_000)
        page.screenshot(path=output_folder / "embed-movement.png")
        said = page.locator("#said")
        expect(said).not_to_be_empty(timeout=60_000)
        if "not_live" in said.inner_text():
            # On a machine with much else to do a movement may not be seen: one tries again.
            page.reload()
            begin(page)
        expect(said).to_have_text("Welcome, ada.", timeout=60_000)
        (told,) = page.evaluate("told")
        claims = jwt.decode(told["signed"], options={"verify_signature": False})
        assert claims["liveness"] is True


@pytest.mark.long
def test_one_who_does_not_move_is_told_why_nothing_comes_of_it(
    tmp_path: Path, visit: Visit, faces: Faces, detector: Detector
) -> None:
    with strict_site(tmp_path, faces) as site:
        still = moving_head(faces.read("obama.jpg"), detector, still=True)
        page = visit(site, None, script=still)
        begin(page)
        expect(page.locator("#said")).to_contain_text("error not_live_", timeout=90_000)
        expect(page.get_by_role("status")).to_contain_text("did not show that you are there")


def test_by_keyboard_in_another_language_and_stopped_again(
    world: World, visit: Visit, films: Films
) -> None:
    world.shop.lang = "de"
    try:
        page = visit(world.shop, films.nobody, reduced_motion="reduce")
    finally:
        world.shop.lang = "en"
    expect(page.get_by_role("button", name="Mit der Kamera bestätigen")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text(
        "Kein Gesicht zu sehen. Blicken Sie in die Kamera."
    )
    page.keyboard.press("Escape")
    expect(page.get_by_role("status")).to_have_text("Abgebrochen.")
    element = page.locator("semblance-verify")
    assert element.evaluate("face => face.state") == "idle"
    assert page.evaluate("told") == []
    # Taken out of the page while it is on: the camera goes off, too.
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Abbrechen")).to_be_visible()
    off = """face => { const video = face.shadowRoot.querySelector('video');
      face.remove(); return video.srcObject === null; }"""
    assert element.evaluate(off)


def test_a_camera_that_is_refused_and_a_session_that_is_none(
    world: World, visit: Visit, films: Films
) -> None:
    page = visit(world.shop, None, camera="refused")
    begin(page)
    expect(page.locator("#said")).to_have_text("error camera")
    expect(page.get_by_role("status")).to_contain_text("The camera cannot be used.")
    page = visit(world.shop, films.ada)
    page.locator("semblance-verify").evaluate("face => face.setAttribute('session', 'AAAA')")
    begin(page)
    expect(page.locator("#said")).to_have_text("error wrong_site_session")
    page.locator("semblance-verify").evaluate("face => face.removeAttribute('session')")
    begin(page, "Try again")
    expect(page.locator("#said")).to_have_text("error missing_key")


def test_nothing_works_from_a_page_that_is_not_listed(
    world: World, visit: Visit, films: Films
) -> None:
    page = visit(world.stranger, films.ada)
    expect(page.locator("#said")).to_have_text("no module")
    # That, and what follows, the browser complains of.
    visit.complaints.clear()
    service = world.service.url
    tries = """async ([service, key]) => {
      const seen = {};
      for (const [name, path, method] of [
        ['file', '/static/semblance-verify.js', 'GET'], ['model', '/v1/model', 'GET'],
        ['verify', '/v1/verify', 'POST'], ['session', '/v1/verify/sessions', 'POST'],
      ]) {
        try {
          await fetch(service + path, {method, headers: {'X-API-Key': key}});
          seen[name] = 'answered';
        } catch (error) { seen[name] = error.name; }
      }
      const socket = new WebSocket(service.replace('http', 'ws') + '/v1/verify/stream');
      seen.stream = await new Promise((resolve) => {
        socket.onopen = () => resolve('open');
        socket.onerror = () => resolve('refused');
      });
      return seen;
    }"""
    # Even with the best of keys.
    seen = page.evaluate(tries, [service, world.service.key])
    assert seen == {
        **dict.fromkeys(("file", "model", "verify", "session"), "TypeError"),
        "stream": "refused",
    }
    visit.complaints.clear()
    # The same from the page that is listed: it is the origin that decides.
    page = visit(world.shop, films.ada)
    expect(page.locator("semblance-verify")).to_be_visible()
    seen = page.evaluate(tries, [service, world.service.key])
    assert seen == {
        **dict.fromkeys(("file", "model", "verify", "session"), "answered"),
        "stream": "open",
    }
    visit.complaints.clear()


def test_without_keys_the_identity_is_enough(
    tmp_path: Path, visit: Visit, films: Films, faces: Faces
) -> None:
    with (
        other_site() as site,
        running_service(tmp_path, cors_origins=site.origin) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        enrol(client, "ada", faces.read("obama.jpg"))
        site.know(url, "", "semblance/default")
        site.functions.pop("begin")
        page = visit(site, films.ada)
        visit.complaints.clear()
        begin(page)
        # It is signed, for the page's origin; but of a session of this site it is not.
        expect(page.locator("#said")).to_have_text("No: PermissionError")
        (told,) = page.evaluate("told")
        assert told["verified"] is True
        visit.complaints.clear()
