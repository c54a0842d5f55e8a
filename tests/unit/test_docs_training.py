"""The commands of `python -m training` that the documents show exist, and all are shown."""

from __future__ import annotations

import re

import pytest
import typer

from tests.running import ROOT
from training.cli import app

COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def shown() -> list[tuple[str, str]]:
    """(page, command line) of every call in a block or between backquotes."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        for line in re.findall(r"python -m training ([^`#]*?)(?=`|#|\n\S|;|&|$)", text):
            found.append((page.name, " ".join(line.split())))
    return found


def test_commands_are_found_in_the_documents() -> None:
    assert len(shown()) > 20


@pytest.mark.parametrize(("page", "line"), shown())
def test_a_shown_command_and_its_options_exist(page: str, line: str) -> None:
    name, *rest = line.split()
    if name == "COMMAND":
        return
    assert name in COMMANDS, page
    known = {option for one in COMMANDS[name].params for option in (*one.opts, *one.secondary_opts)}
    used = {word.split("=")[0] for word in rest if word.startswith("--")}
    assert used <= known, page


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_shown(name: str) -> None:
    lines = {line.split()[0] for page, line in shown() if page in ("README.md", "training.md")}
    assert name in lines
