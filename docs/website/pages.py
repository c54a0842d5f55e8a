"""Which files are pages of the site, and under which names."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
# Files outside of docs/ that are pages. The README is the repository's own first page; the
# site's says the same, so that links to the one lead to the other.
ELSEWHERE = {
    "bench/RESULTS.md": "results.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "LICENSE": "licence.md",
    "NOTICE": "notice.md",
    "SECURITY.md": "reporting.md",
}
STANDS_FOR = {"README.md": "index.md"}


@dataclass(frozen=True)
class Section:
    """A part of the navigation; its pages in order, by their names in the site."""

    title: str
    pages: tuple[str, ...]


def pages() -> dict[str, str]:
    """File of the repository -> page of the site, for all that are there."""
    found = {
        path.relative_to(ROOT).as_posix(): path.relative_to(ROOT / "docs").as_posix()
        for folder in ("docs", "docs/decisions")
        for path in sorted((ROOT / folder).glob("*.md"))
    }
    return found | {file: page for file, page in ELSEWHERE.items() if (ROOT / file).is_file()}


def sections() -> Iterator[Section]:
    """The navigation with the pages that exist; a name that ends in a slash is all of a folder."""
    there = list(pages().values())
    for section in _written():
        names: list[str] = []
        for name in section.pages:
            inside = [page for page in there if page.startswith(name)] if name[-1] == "/" else []
            names += inside or [name for page in there if page == name]
        if names:
            yield Section(section.title, tuple(names))


def listed() -> set[str]:
    """The names in sections.toml, of pages that exist and that do not."""
    return {name for section in _written() for name in section.pages}


def target_page(link: str, source: str) -> str | None:
    """The site's page that a relative link in a file leads to; None if it is no page.

    Args:
        link: Path as written, without an anchor.
        source: The file it is written in, from the repository's root.
    """
    file = resolved(link, source)
    return pages().get(file) or STANDS_FOR.get(file)


def resolved(link: str, source: str) -> str:
    """The file from the repository's root that a relative link means; may not exist."""
    parts: list[str] = []
    for part in (PurePosixPath(source).parent / link).parts:
        if part == ".." and parts:
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _written() -> list[Section]:
    text = (Path(__file__).parent / "sections.toml").read_text(encoding="utf-8")
    return [Section(one["title"], tuple(one["pages"])) for one in tomllib.loads(text)["section"]]
