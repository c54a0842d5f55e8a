"""What the doctor finds: a line each, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from service.settings import Settings

Mark = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. It holds no secret: not a key, nor a part of one.

    Attributes:
        about: In a word or two, the same each time.
        said: What was found.
        todo: What to do; empty where nothing is to be done.
    """

    about: str
    mark: Mark
    said: str
    todo: str = ""


Check = Callable[[Settings], Iterator[Finding]]


def ok(about: str, said: str) -> Finding:
    return Finding(about, "ok", said)


def warn(about: str, said: str, todo: str) -> Finding:
    return Finding(about, "warn", said, todo)


def fail(about: str, said: str, todo: str) -> Finding:
    return Finding(about, "fail", said, todo)
