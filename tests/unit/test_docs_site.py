"""The site of the documents: it is built without a warning, and asks no other host for anything."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from docs.website import markdown, stage
from docs.website.build import build
from docs.website.pages import pages
from docs.website.stage import BuildError
from tests.running import ROOT

# Of a page's own parts; a link that a reader follows (`a`) may lead anywhere.
LOADS = {
    "script": ("src",),
    "link": ("href",),
    "img": ("src", "srcset"),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "iframe": ("src",),
    "object": ("data",),
    "embed": ("src",),
    "use": ("href",),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Warnings are errors: `build` raises."""
    return build(tmp_path_factory.mktemp("docs"))


class Loads(HTMLParser):
    """Collects what a page loads."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in LOADS.get(tag, ())]


def loaded(path: Path) -> list[str]:
    loads = Loads()
    loads.feed(path.read_text(encoding="utf-8"))
    return loads.addresses


def built(site: Path) -> Iterator[Path]:
    yield from sorted(site.rglob("*.html"))


def test_every_page_is_built(site: Path) -> None:
    for page in pages().values():
        assert (site / page).with_suffix(".html").is_file(), page


def test_nothing_is_loaded_from_another_host(site: Path) -> None:
    found = {address for path in built(site) for address in loaded(path)}
    assert len(found) > 20
    assert not {address for address in found if re.match(r"(https?:)?//", address)}


def test_styles_load_nothing_from_another_host(site: Path) -> None:
    sheets = sorted(site.rglob("*.css"))
    assert sheets
    for sheet in sheets:
        assert not re.search(r"(url\(|@import)[\s\"']*(https?:)?//", sheet.read_text("utf-8"))


def test_what_a_page_loads_is_there(site: Path) -> None:
    for path in built(site):
        for address in loaded(path):
            if path.name == "404.html" or address.startswith(("data:", "#")) or not address:
                continue
            assert (path.parent / address.partition("?")[0]).exists(), f"{path.name}: {address}"


def test_the_search_knows_every_page(site: Path) -> None:
    index = json.loads((site / "search.json").read_text(encoding="utf-8"))
    found = {item["location"].partition("#")[0] for item in index["items"]}
    for page in pages().values():
        assert re.sub(r"md$", "html", page) in found, page


@pytest.mark.parametrize("source", sorted(pages()))
def test_lists_and_tables_are_seen_as_such(site: Path, source: str) -> None:
    """Python-Markdown wants more room around them than other readers."""
    lines = [line for _, line in markdown.prose((ROOT / source).read_text(encoding="utf-8"))]
    if source in ("LICENSE", "NOTICE"):
        return
    page = (site / pages()[source]).with_suffix(".html").read_text(encoding="utf-8")
    article = page.partition("<article")[2].partition("</article>")[0]
    assert article.count("<table>") == sum(bool(re.match(r"\|[ :|-]+\|$", line)) for line in lines)
    assert article.count("<li>") == sum(bool(re.match(r" *([-*+]|\d+\.) ", line)) for line in lines)


@pytest.mark.parametrize("link", ["api.md#no-such-place", "no-such-page.md"])
def test_a_link_that_leads_nowhere_fails_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, link: str
) -> None:
    real = stage._page
    monkeypatch.setattr(
        stage, "_page", lambda source, page: real(source, page) + f"\n[x]({link})\n"
    )
    with pytest.raises(BuildError, match="does not exist"):
        build(tmp_path)
