"""The items of a batch as lines, a number of them in each request.

A request is sent whole before its answer is read, so that it can be sent again; hence
not all items go in one.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Required, TypeVar

from semblance_client.models import BatchItem
from semblance_client.options import EnrolOptions, VerifyOptions
from semblance_client.pictures import Picture

SIZE = 50
"""Items of one request, unless the caller says how many."""

Item = TypeVar("Item")
Answered = TypeVar("Answered", bound=BatchItem)


class VerifyItem(VerifyOptions, total=False):
    """One verification. Attributes: id: Of your own, at most 128 characters; comes back."""

    identity: Required[str]
    image: Required[Picture]
    id: str


class EnrolItem(EnrolOptions, total=False):
    """One enrolment; likewise."""

    identity: Required[str]
    images: Required[Sequence[Picture]]
    id: str


def lines(items: Sequence[Mapping[str, object]]) -> bytes:
    """NDJSON. Raises OSError if a picture's file cannot be read."""
    return b"".join(json.dumps(_encoded(item)).encode() + b"\n" for item in items)


def in_parts(items: Iterable[Item], size: int) -> Iterator[tuple[int, list[Item]]]:
    """The items by so many, with the index of each part's first."""
    rest, first = iter(items), 0
    while part := list(islice(rest, size)):
        yield first, part
        first += len(part)


def counted_from(first: int, answers: Iterable[Answered]) -> Iterator[Answered]:
    """With their index among all items."""
    for answer in answers:
        yield answer.model_copy(update={"index": first + answer.index})


def _encoded(item: Mapping[str, object]) -> dict[str, object]:
    shown = {name: value for name, value in item.items() if value is not None}
    if "image" in shown:
        shown["image"] = _base64(item["image"])
    if "images" in shown:
        pictures = item["images"]
        assert isinstance(pictures, Sequence)
        shown["images"] = [_base64(picture) for picture in pictures]
    return shown


def _base64(picture: object) -> str:
    data = picture if isinstance(picture, bytes) else Path(str(picture)).read_bytes()
    return base64.b64encode(data).decode()
