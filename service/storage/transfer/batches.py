"""Some rows of one table, and the same as bytes that mean the same on every engine.

    value   one letter, then what it says
    N       None
    I       a whole number: 8 bytes, signed, the highest first
    F       a float: 8 bytes, IEEE 754, the highest first
    T       a moment: microseconds since 1970, as a whole number
    S, B    a text in UTF-8, bytes: 4 bytes of length, then they

A row is its values in the order of the table's columns; rows follow each other.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Table

from model.errors import SemblanceError
from service.storage.audit_tables import audit_head, audit_log
from service.storage.data_keys import data_keys, service_keys
from service.storage.tables import (
    api_keys,
    face_references,
    identities,
    key_usage,
    reference_images,
)

TABLES: Final = (
    api_keys,
    key_usage,
    service_keys,
    data_keys,
    identities,
    face_references,
    reference_images,
    audit_head,
    audit_log,
)
"""All that is moved, in the order in which a stream has each for the first time.

Not which liveness tokens were used: they count for a minute or two, and a backup could
not know those that are used after it. Nor what indexes in memory are told of changes: whoever
opens a place that was restored has none yet.
"""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_WHOLE: Final = struct.Struct(">q")
_FLOAT: Final = struct.Struct(">d")
_LENGTH: Final = struct.Struct(">I")


class TransferError(SemblanceError):
    """Stored data cannot be moved, or not to there; the text is for an operator."""


class Batch(NamedTuple):
    """Rows of one table.

    Attributes:
        rows: Values in the order of the table's columns; may be none.
    """

    table: Table
    rows: Sequence[tuple[Any, ...]]


def to_bytes(rows: Iterable[tuple[Any, ...]]) -> bytes:
    """Raises TransferError for a value of a type that no column has."""
    return b"".join(_value(value) for row in rows for value in row)


def to_rows(table: Table, data: bytes) -> list[tuple[Any, ...]]:
    """The reverse; raises TransferError for what `to_bytes` has not made."""
    try:
        values = list(_values(memoryview(data)))
    except (KeyError, ValueError, IndexError, OverflowError, struct.error) as error:
        raise TransferError(f"rows of {table.name} cannot be read") from error
    width = len(table.columns)
    if len(values) % width:
        raise TransferError(f"rows of {table.name} are not whole")
    return [tuple(values[at : at + width]) for at in range(0, len(values), width)]


def _value(value: object) -> bytes:
    match value:
        case None:
            return b"N"
        case bytes():
            return b"B" + _LENGTH.pack(len(value)) + value
        case str():
            text = value.encode()
            return b"S" + _LENGTH.pack(len(text)) + text
        case int():
            return b"I" + _WHOLE.pack(value)
        case float():
            return b"F" + _FLOAT.pack(value)
        case datetime():
            return b"T" + _WHOLE.pack((value - _EPOCH) // _MICROSECOND)
    raise TransferError(f"a stored value is of the type {type(value).__name__}")


def _values(data: memoryview) -> Iterator[Any]:
    at = 0
    while at < len(data):
        kind, at = bytes(data[at : at + 1]), at + 1
        if kind == b"N":
            yield None
        elif kind in _NUMBERS:
            form, made = _NUMBERS[kind]
            (number,) = form.unpack_from(data, at)
            yield made(number)
            at += form.size
        else:
            made_of = _STRINGS[kind]
            (length,) = _LENGTH.unpack_from(data, at)
            start, at = at + _LENGTH.size, at + _LENGTH.size + length
            if at > len(data):
                raise ValueError("cut off")
            yield made_of(bytes(data[start:at]))


_NUMBERS: Final[dict[bytes, tuple[struct.Struct, Callable[[Any], Any]]]] = {
    b"I": (_WHOLE, int),
    b"F": (_FLOAT, float),
    b"T": (_WHOLE, lambda microseconds: _EPOCH + microseconds * _MICROSECOND),
}
_STRINGS: Final[dict[bytes, Callable[[bytes], Any]]] = {b"S": bytes.decode, b"B": bytes}
