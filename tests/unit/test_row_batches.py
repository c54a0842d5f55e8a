"""Rows as bytes: the same on every engine, and back."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, Table, Text

from service.storage import data_keys
from service.storage.audit_tables import audit_metadata
from service.storage.tables import metadata
from service.storage.transfer.batches import TABLES, TransferError, to_bytes, to_rows
from service.storage.transfer.tally import Tally

TWO = Table("two", MetaData(), Column("a", Text), Column("b", Text))
VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=["Cs"])),
    st.binary(),
    st.datetimes(timezones=st.just(UTC)),
)
ROWS = st.lists(st.tuples(VALUES, VALUES))


@given(ROWS)
def test_rows_come_back_as_they_were(rows: list[tuple[object, object]]) -> None:
    found = to_rows(TWO, to_bytes(rows))
    assert found == rows
    assert [[type(value) for value in row] for row in found] == [
        [type(value) for value in row] for row in rows
    ]


@given(ROWS, ROWS)
def test_other_rows_are_other_bytes(
    rows: list[tuple[object, object]], others: list[tuple[object, object]]
) -> None:
    if rows != others:
        assert to_bytes(rows) != to_bytes(others)


@given(ROWS.filter(bool), st.data())
def test_bytes_that_are_not_whole_are_refused(
    rows: list[tuple[object, object]], data: st.DataObject
) -> None:
    whole = to_bytes(rows)
    cut = whole[: data.draw(st.integers(1, len(whole) - 1))]
    try:
        found = to_rows(TWO, cut)
    except TransferError:
        return
    # A cut between two rows: only the frame around it tells.
    assert found == rows[: len(found)]


def test_a_moment_is_the_same_in_whatever_zone() -> None:
    noon = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
    elsewhere = noon.astimezone(timezone(timedelta(hours=5)))
    assert to_bytes([(noon,)]) == to_bytes([(elsewhere,)])
    assert to_rows(TWO, to_bytes([(noon, math.pi)])) == [(noon, math.pi)]


@pytest.mark.parametrize("value", [object(), 1j, [1]])
def test_a_value_that_no_column_has_is_refused(value: object) -> None:
    with pytest.raises(TransferError, match=type(value).__name__):
        to_bytes([(value,)])


def test_every_table_is_moved() -> None:
    """Whoever adds a table decides whether it is part of a backup."""
    known = [*metadata.tables, *data_keys.metadata.tables, *audit_metadata.tables]
    moved = [table.name for table in TABLES]
    assert sorted([*moved, "gallery_changes", "spent_liveness"]) == sorted(known)


def test_a_hash_does_not_depend_on_how_rows_are_cut_into_batches() -> None:
    rows = [("a", 1), ("b", None), ("c", b"x")]
    table = TABLES[0]
    at_once, one_by_one, other = Tally(), Tally(), Tally()
    at_once.add(table, 3, to_bytes(rows))
    for row in rows:
        one_by_one.add(table, 1, to_bytes([row]))
    other.add(table, 3, to_bytes(rows[::-1]))
    assert at_once.sums() == one_by_one.sums()
    assert at_once.sums() != other.sums()
    assert at_once.sums()[table.name].rows == 3
