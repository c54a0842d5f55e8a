"""`--shard i/n`: the part of a list that one of n processes or machines works on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from training.data.errors import DataError

_MOST = 9999

T = TypeVar("T")


@dataclass(frozen=True)
class Shard:
    """Part `index` of `count`; parts are counted from 1."""

    index: int
    count: int

    def of(self, items: Sequence[T]) -> list[T]:
        """Every count-th item. Each item is in one shard, and shards differ by one in length.

        Taken in turn, not in blocks: pictures of one folder are often of one kind
        and size, and so every shard has about the same work.
        """
        return list(items[self.index - 1 :: self.count])

    @property
    def stem(self) -> str:
        """For names of files, such as "1-of-2"."""
        return f"{self.index}-of-{self.count}"

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def read_shard(text: str) -> Shard:
    """The shard that a text such as "1/2" names.

    Raises:
        DataError: If it names none.
    """
    found = re.fullmatch(r"(\d{1,4})/(\d{1,4})", text, re.ASCII)
    index, count = (int(number) for number in found.groups()) if found else (0, 0)
    if not 1 <= index <= count <= _MOST:
        raise DataError(
            f"expected a shard as i/n with i from 1 to n, such as 1/2, found '{text[:40]}'"
        )
    return Shard(index, count)
