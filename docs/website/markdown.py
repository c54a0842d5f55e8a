"""What the site's builder and the tests of the documents need to know of Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

_FENCE = re.compile(r"^( *)(```+|~~~+)(.*)$")
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")
_CODE = re.compile(r"(`+)(?:(?!\1).)+\1")
_ITEM = re.compile(r"^ *(?:[-*+]|\d+\.) ")


@dataclass(frozen=True)
class Block:
    """A fenced block of code.

    Attributes:
        language: The word behind the fence; may be empty.
        line: Number of the fence's line, from 1.
        indent: Spaces before the fence.
    """

    language: str
    text: str
    line: int
    indent: int


@dataclass(frozen=True)
class Link:
    """A link or picture as written: `[text](target)`."""

    text: str
    target: str
    line: int
    is_picture: bool


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks, without the indentation of their fences."""
    open_at, fence, language, inside = 0, "", "", list[str]()
    indent = 0
    for number, line in enumerate(text.splitlines(), 1):
        found = _FENCE.match(line)
        if not fence and found:
            open_at, indent, fence = number, len(found[1]), found[2]
            language = (found[3].split() or [""])[0]
            inside = []
        elif fence and found and found[2].startswith(fence) and not found[3].strip():
            yield Block(language, "\n".join(inside) + "\n", open_at, indent)
            fence = ""
        elif fence:
            inside.append(line[indent:] if line[:indent].isspace() else line)


def prose(text: str) -> Iterator[tuple[int, str]]:
    """(number, line) of the lines outside of fenced blocks; numbers from 1."""
    hidden = {
        number
        for block in blocks(text)
        for number in range(block.line, block.line + block.text.count("\n") + 2)
    }
    for number, line in enumerate(text.splitlines(), 1):
        if number not in hidden:
            yield number, line


def links(text: str) -> Iterator[Link]:
    """Links and pictures outside of code."""
    for number, line in prose(text):
        for found in _LINK.finditer(_without_code(line)):
            start, end = found.span(2)
            yield Link(line[start:end], found[3], number, found[1] == "!")
            for inner in _LINK.finditer(found[2]):
                yield Link(inner[2], inner[3], number, inner[1] == "!")


def with_links(text: str, change: Callable[[str], str | None]) -> str:
    """The text with each link's target replaced; where that is None, its words alone stay."""

    def one(found: re.Match[str], line: str) -> str:
        words = line[found.start(2) : found.end(2)]
        target = change(found[3])
        return words if target is None else f"{found[1]}[{words}]({target})"

    lines = text.split("\n")
    for number, line in prose(text):
        out, last = [], 0
        for found in _LINK.finditer(_without_code(line)):
            out += [line[last : found.start()], one(found, line)]
            last = found.end()
        lines[number - 1] = "".join(out) + line[last:]
    return "\n".join(lines)


def anchors(text: str) -> set[str]:
    """What a link to a heading may name: lower case, hyphens for spaces, no other signs."""
    found: set[str] = set()
    for _, line in prose(text):
        if heading := re.match(r"^#{1,6} +(.*?) *#*$", line):
            words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1])
            name = re.sub(r"[^\w\- ]", "", words.replace("`", "").lower()).replace(" ", "-")
            while name in found:
                stem, _, count = name.rpartition("-")
                name = f"{stem}-{int(count) + 1}" if count.isdigit() else f"{name}-1"
            found.add(name)
    return found


def with_room_before_lists(text: str) -> str:
    """A blank line before each list: without it the builder takes it for more of a paragraph."""
    lines = text.split("\n")
    after: set[int] = set()
    numbered = list(prose(text))
    for (before, above), (number, line) in pairwise(numbered):
        begins = _ITEM.match(line) and number == before + 1 and above.strip()
        in_list = _ITEM.match(above) or above.startswith(" ")
        if begins and not in_list and not above.startswith(("|", "#", ">")):
            after.add(before)
    return "\n".join(
        line + ("\n" if number in after else "") for number, line in enumerate(lines, 1)
    )


def _without_code(line: str) -> str:
    """The line with code between backquotes blanked, at the same places."""
    return _CODE.sub(lambda found: " " * len(found[0]), line)
