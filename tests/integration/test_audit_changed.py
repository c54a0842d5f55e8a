"""Whoever changes the audit log from outside is found out, and where."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.audit_samples import (
    FILE,
    fault,
    found,
    opened,
    outsider,
    verdict,
    write,
)

ROWS = 12
COLUMNS = [
    "at_us",
    "actor",
    "collection",
    "action",
    "subject",
    "outcome",
    "details",
    "request_id",
    "mac",
]
HEAD_COLUMNS = ["base_count", "base_mac", "count", "mac", "seal"]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    with opened(folder) as store:
        write(store.engine, ROWS)
    return folder / FILE


@pytest.fixture
def data_dir(tmp_path: Path, written: Path) -> Path:
    shutil.copy(written, tmp_path / FILE)
    return tmp_path


@pytest.fixture
def database(data_dir: Path) -> Path:
    return data_dir / FILE


def test_a_log_that_nobody_touched_is_whole(data_dir: Path) -> None:
    seen = verdict(data_dir)
    assert seen.fault is None
    assert seen.good.number == ROWS


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("value", ["'x'", "x'ff00'", "CAST(x'fffe' AS TEXT)", "7"])
def test_any_column_of_a_row(data_dir: Path, database: Path, column: str, value: str) -> None:
    with outsider(database) as connection:
        connection.execute(f"UPDATE audit_log SET {column} = {value} WHERE number = 5")
    assert found(data_dir) == (5, "changed")


@pytest.mark.parametrize("column", ["actor", "subject", "request_id"])
def test_a_value_taken_away(data_dir: Path, database: Path, column: str) -> None:
    with outsider(database) as connection:
        connection.execute(f"UPDATE audit_log SET {column} = NULL WHERE number = 5")
    assert found(data_dir) == (5, "changed")


@pytest.mark.parametrize("column", HEAD_COLUMNS)
def test_any_column_of_the_head(data_dir: Path, database: Path, column: str) -> None:
    for value in ("7", "'x'", "x'ff'"):
        with outsider(database) as connection:
            connection.execute(f"UPDATE audit_head SET {column} = {value}")
        assert found(data_dir) == (None, "changed")


@pytest.mark.parametrize(
    ("deed", "number", "what"),
    [
        ("DELETE FROM audit_log WHERE number = 1", 1, "missing"),
        ("DELETE FROM audit_log WHERE number = 6", 6, "missing"),
        ("DELETE FROM audit_log WHERE number IN (6, 7, 8)", 6, "missing"),
        (f"DELETE FROM audit_log WHERE number = {ROWS}", ROWS, "cut off"),
        ("DELETE FROM audit_log WHERE number > 3", 4, "cut off"),
        ("DELETE FROM audit_log", 1, "cut off"),
        ("DELETE FROM audit_head", None, "missing"),
        ("UPDATE audit_log SET number = 0 WHERE number = 1", 0, "changed"),
        ("UPDATE audit_log SET number = number + 1 WHERE number = 12", 12, "missing"),
        (
            "INSERT INTO audit_log SELECT 13, at_us, actor, collection, action, subject, "
            "outcome, details, request_id, mac FROM audit_log WHERE number = 12",
            13,
            "re-ordered",
        ),
        (
            "INSERT INTO audit_log SELECT -3, at_us, actor, collection, action, subject, "
            "outcome, details, request_id, mac FROM audit_log WHERE number = 12",
            -3,
            "changed",
        ),
    ],
)
def test_rows_gone_or_added(
    data_dir: Path, database: Path, deed: str, number: int | None, what: str
) -> None:
    with outsider(database) as connection:
        assert connection.execute(deed).rowcount
    assert found(data_dir) == (number, what)


@pytest.mark.parametrize(("one", "other"), [(5, 6), (2, 11), (1, 12), (11, 12), (1, 2)])
def test_rows_that_changed_places(data_dir: Path, database: Path, one: int, other: int) -> None:
    with outsider(database) as connection:
        swap(connection, one, other)
    wrong = fault(data_dir)
    assert wrong is not None
    assert (wrong.number, wrong.what) == (one, "re-ordered")
    assert f"row {other}" in wrong.detail


def swap(connection: sqlite3.Connection, one: int, other: int) -> None:
    for before, after in ((one, -1), (other, one), (-1, other)):
        connection.execute("UPDATE audit_log SET number = ? WHERE number = ?", (after, before))


def test_a_row_moved_far(tmp_path: Path) -> None:
    with opened(tmp_path) as store:
        write(store.engine, 100)
    with outsider(tmp_path / FILE) as connection:
        connection.execute("UPDATE audit_log SET number = -1 WHERE number = 100")
        connection.execute("UPDATE audit_log SET number = -number - 1 WHERE number >= 2")
        connection.execute("UPDATE audit_log SET number = -number WHERE number < -1")
        connection.execute("UPDATE audit_log SET number = 2 WHERE number = -1")
    wrong = fault(tmp_path)
    assert wrong is not None
    assert (wrong.number, wrong.what) == (2, "re-ordered")
    assert "row 100" in wrong.detail


def test_a_row_moved_to_another_place(data_dir: Path, database: Path) -> None:
    with outsider(database) as connection:
        connection.execute("UPDATE audit_log SET number = -1 WHERE number = 4")
        for number in range(5, 10):
            connection.execute(
                "UPDATE audit_log SET number = ? WHERE number = ?", (number - 1, number)
            )
        connection.execute("UPDATE audit_log SET number = 9 WHERE number = -1")
    wrong = fault(data_dir)
    assert wrong is not None
    assert (wrong.number, wrong.what) == (4, "re-ordered")
    assert "row 5" in wrong.detail


_row = st.integers(1, ROWS)
_deeds = st.lists(
    st.one_of(
        st.tuples(st.just("delete"), _row, _row),
        st.tuples(st.just("swap"), _row, _row),
        st.tuples(st.just("copy"), _row, _row),
        st.tuples(st.sampled_from(COLUMNS), _row, _row),
    ),
    max_size=4,
)


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(deeds=_deeds)
def test_it_is_whole_only_if_it_holds_what_was_written(
    data_dir: Path, written: Path, deeds: list[tuple[str, int, int]]
) -> None:
    """Whatever is deleted, swapped, or copied as a row or in one column."""
    shutil.copy(written, data_dir / FILE)
    with outsider(data_dir / FILE) as connection:
        original = connection.execute("SELECT * FROM audit_log ORDER BY number").fetchall()
        for deed, one, other in deeds:
            do(connection, deed, one, other)
        now = connection.execute("SELECT * FROM audit_log ORDER BY number").fetchall()
    wrong = fault(data_dir)
    first = next((n for n in range(ROWS) if n >= len(now) or now[n] != original[n]), None)
    assert (None if wrong is None else wrong.number) == (None if first is None else first + 1)


def do(connection: sqlite3.Connection, deed: str, one: int, other: int) -> None:
    match deed:
        case "delete":
            connection.execute("DELETE FROM audit_log WHERE number = ?", (one,))
        case "swap":
            swap(connection, one, other)
        case _:
            columns = COLUMNS if deed == "copy" else [deed]
            values = ", ".join(
                f"{name} = (SELECT {name} FROM audit_log WHERE number = :other)" for name in columns
            )
            connection.execute(
                f"UPDATE audit_log SET {values} WHERE number = :one "
                "AND EXISTS (SELECT 1 FROM audit_log WHERE number = :other)",
                {"one": one, "other": other},
            )
