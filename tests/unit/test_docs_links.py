"""Links of the documents lead somewhere: to files, headings and pictures that are there.

Links to other hosts are not followed: a test must pass without a network.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.website import markdown
from docs.website.pages import STANDS_FOR, listed, pages, resolved, sections, target_page
from tests.running import ROOT
from tests.unit.documents import DECISIONS, PAGES, name, read

ALL = [*PAGES, *DECISIONS]


@pytest.mark.parametrize("path", ALL, ids=name)
def test_every_link_leads_to_what_is_there(path: Path) -> None:
    for link in markdown.links(read(path)):
        if ":" in link.target.split("/")[0]:
            assert link.target.startswith("https://"), f"line {link.line}: {link.target}"
            continue
        file, _, anchor = link.target.partition("#")
        target = ROOT / resolved(file, name(path)) if file else path
        assert target.exists(), f"line {link.line}: {link.target}"
        if anchor:
            assert anchor in markdown.anchors(read(target)), f"line {link.line}: {link.target}"


def test_the_check_of_links_finds_links() -> None:
    found = [link for path in PAGES for link in markdown.links(read(path))]
    assert len(found) > 200
    assert sum(link.is_picture for link in found) > 15
    assert any("#" in link.target for link in found)


@pytest.mark.parametrize("path", ALL, ids=name)
def test_pictures_say_what_they_show(path: Path) -> None:
    for link in markdown.links(read(path)):
        if link.is_picture:
            assert len(link.text.split()) > 0, f"line {link.line}: {link.target}"


def test_every_page_is_in_the_navigation_once() -> None:
    shown = [page for section in sections() for page in section.pages]
    assert sorted(shown) == sorted(pages().values())


def test_the_navigation_names_nothing_else() -> None:
    there = set(pages().values()) | {"decisions/"}
    assert listed() <= there


@pytest.mark.parametrize("path", ALL, ids=name)
def test_a_page_has_one_title_at_its_head(path: Path) -> None:
    lines = [line for _, line in markdown.prose(read(path))]
    assert lines[0].startswith("# ")
    assert sum(line.startswith("# ") for line in lines) == 1


@pytest.mark.parametrize("path", ALL, ids=name)
def test_code_in_a_list_is_indented_for_every_reader(path: Path) -> None:
    """Python-Markdown wants four spaces and a blank line, where others take less."""
    lines = read(path).splitlines()
    for block in markdown.blocks(read(path)):
        assert block.indent % 4 == 0, f"line {block.line}"
        assert not block.indent or not lines[block.line - 2].strip(), f"line {block.line}"


def test_links_are_told_from_code_and_from_text() -> None:
    text = "[a](b.md#c) `[no](d.md)` ![p](e.webp)\n```\n[no](f.md)\n```\n[`x`](g.md)\n"
    assert [link.target for link in markdown.links(text)] == ["b.md#c", "e.webp", "g.md"]
    changed = markdown.with_links(text, lambda target: None if target == "g.md" else "z")
    assert changed == "[a](z) `[no](d.md)` ![p](z)\n```\n[no](f.md)\n```\n`x`\n"


def test_anchors_are_made_as_readers_of_markdown_make_them() -> None:
    text = "# One: `two`, three?\n## [A link](x.md) here\n```\n# none\n```\n## Same\n## Same\n"
    assert markdown.anchors(text) == {"one-two-three", "a-link-here", "same", "same-1"}


def test_a_list_gets_room_before_it() -> None:
    text = "Words\n- one\n- two\n\n| a |\n- b\n```\nx\n- y\n```\n"
    assert markdown.with_room_before_lists(text) == text.replace("Words\n", "Words\n\n")


def test_targets_are_found_from_where_they_are_written() -> None:
    assert target_page("../bench/RESULTS.md", "docs/benchmarks.md") == "results.md"
    assert target_page("../accuracy.md", "docs/decisions/0003-weights.md") == "accuracy.md"
    assert target_page("docs/api.md", "README.md") == "api.md"
    assert target_page("../README.md", "docs/api.md") == STANDS_FOR["README.md"]
    assert target_page("../service/app.py", "docs/api.md") is None
