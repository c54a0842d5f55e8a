"""What a PromQL expression names: metrics with the labels it asks for or keeps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set

_OURS = r"\b((?:semblance|process)_\w+|up)\b"
_SELECTOR = re.compile(_OURS + r"(?:\{([^}]*)\})?")
_MATCHER = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"")
_GROUPED = re.compile(r"\b(?:by|without)\s*\(([^)]*)\)")
# By Prometheus, of every target.
_ALWAYS = {"job", "instance"}


def selectors(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Each metric that is named, with the labels in its braces."""
    for name, matchers in _SELECTOR.findall(expression):
        yield name, set(_MATCHER.findall(matchers))


def grouped_by(expression: str) -> set[str]:
    return {
        label.strip()
        for group in _GROUPED.findall(expression)
        for label in group.split(",")
        if label.strip()
    }


def faults(expression: str, exposed: Mapping[str, Set[str]]) -> list[str]:
    """What it names that is not there.

    Args:
        exposed: Labels of each sample's name, as a service shows them.
    """
    found = []
    known = {"up": set(), **exposed}
    there: set[str] = set(_ALWAYS)
    for name, labels in selectors(expression):
        if name not in known:
            found.append(f"no metric is called {name}")
            continue
        there |= known[name]
        found += [f"{name} has no label {label}" for label in labels - set(known[name]) - _ALWAYS]
    if not list(selectors(expression)):
        found.append("it names no metric")
    found += [f"nothing has the label {label}" for label in grouped_by(expression) - there]
    return found
