"""Lays out the folder that the site is built from."""

from __future__ import annotations

import json
import posixpath
import shutil
from functools import cache
from pathlib import Path

from docs.website import markdown
from docs.website.pages import ROOT, pages, resolved, sections, target_page

_HERE = Path(__file__).parent
_PLAIN = {"LICENSE": "Licence", "NOTICE": "Notices of others' work"}
# Of docs/, but no part of the site.
_OWN = ("docs/website/", "docs/__")


class BuildError(Exception):
    """The site was not built; the text says why."""


def stage(folder: Path) -> Path:
    """Writes pages, pictures and configuration into an empty folder; gives the configuration.

    Raises:
        BuildError: If a link leads to a file that is not there.
    """
    into = folder / "pages"
    for source, page in pages().items():
        path = into / page
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_page(source, page), encoding="utf-8")
    for file in _files():
        (into / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "docs" / file, into / file)
    shutil.copy(_HERE / "look.css", into)
    config = folder / "zensical.toml"
    config.write_text(_config(), encoding="utf-8")
    return config


@cache
def _files() -> frozenset[str]:
    """Pictures, examples and the like, from docs/."""
    found = (path for path in (ROOT / "docs").rglob("*") if path.is_file() and path.suffix != ".md")
    named = (path.relative_to(ROOT).as_posix() for path in found)
    return frozenset(name.removeprefix("docs/") for name in named if not name.startswith(_OWN))


def _page(source: str, page: str) -> str:
    text = (ROOT / source).read_text(encoding="utf-8")
    if source in _PLAIN:
        return f"# {_PLAIN[source]}\n\n```text\n{text}```\n"
    return markdown.with_room_before_lists(
        markdown.with_links(text, lambda target: _target(target, source, page))
    )


def _target(target: str, source: str, page: str) -> str | None:
    """A link's target as it is in the site; None if it leads to code, which is not in it."""
    path, hash_sign, anchor = target.partition("#")
    if not path or ":" in path:
        return target
    there = target_page(path, source)
    if there is None:
        file = resolved(path, source)
        if not (ROOT / file).exists():
            raise BuildError(f"{source}: there is no {target}")
        there = file.removeprefix("docs/")
        if there not in _files():
            return None
    return posixpath.relpath(there, posixpath.dirname(page) or ".") + hash_sign + anchor


def _config() -> str:
    nav = ", ".join(
        f"{{ {json.dumps(section.title)} = {json.dumps(section.pages)} }}" for section in sections()
    )
    return f"[project]\nnav = [{nav}]\n" + (_HERE / "zensical.toml").read_text(encoding="utf-8")
