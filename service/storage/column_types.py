"""Column types that no database has as we mean them: times in UTC, arrays of float32."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
from sqlalchemy import DateTime, Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator

from model.types import Array

_LITTLE_ENDIAN = np.dtype("<f4")


class UtcDateTime(TypeDecorator[datetime]):
    """A moment, in UTC and with its time zone, also where a database keeps none (SQLite)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Float32Array(TypeDecorator[Array]):
    """A float32 array as its little-endian bytes, row by row.

    Args:
        shape: Of the array read back; -1 for one axis whose length the bytes tell.
    """

    impl = LargeBinary
    cache_ok = True

    def __init__(self, *shape: int) -> None:
        super().__init__()
        self.shape = shape

    def process_bind_param(self, value: Array | None, dialect: Dialect) -> bytes | None:
        return None if value is None else value.astype(_LITTLE_ENDIAN).tobytes()

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Array | None:
        if value is None:
            return None
        # A copy: frombuffer answers a read-only view in the stored byte order.
        return np.frombuffer(value, dtype=_LITTLE_ENDIAN).astype(np.float32).reshape(self.shape)


def float32_rows(rows: Sequence[bytes]) -> Array:
    """Arrays of one length, as `Float32Array` stores them, as one.

    Shape (N, D), float32; (0, 0) for none.
    """
    if not rows:
        return np.empty((0, 0), np.float32)
    whole = np.frombuffer(b"".join(rows), dtype=_LITTLE_ENDIAN).astype(np.float32, copy=False)
    return whole.reshape(len(rows), -1)
