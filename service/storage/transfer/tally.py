"""How many rows each table has, and a hash over them: whether two streams were the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Table

from service.storage.transfer.batches import TABLES


class Sum(NamedTuple):
    """Of one table.

    Attributes:
        sha256: 64 hex digits, over the rows as bytes in the order of the stream.
    """

    rows: int
    sha256: str


class Tally:
    """Adds up a stream; how it is cut into batches makes no difference."""

    def __init__(self) -> None:
        self._hashes = {table.name: hashlib.sha256() for table in TABLES}
        self._rows = dict.fromkeys(self._hashes, 0)

    def add(self, table: Table, rows: int, data: bytes) -> None:
        """Counts some rows, given as their number and as `batches.to_bytes` of them."""
        self._hashes[table.name].update(data)
        self._rows[table.name] += rows

    def sums(self) -> Mapping[str, Sum]:
        """By the names of all tables, as of now."""
        return {
            name: Sum(self._rows[name], found.hexdigest()) for name, found in self._hashes.items()
        }
