"""What was used is used for all: in memory, in SQLite, in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.core.liveness.tickets import Spent
from service.storage.spent import MemorySpent, SqlSpent
from tests.integration.vaults import open_store
from tests.postgres import Server

NOW = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Spent, Spent]]:
    """The list as two processes see it."""
    if request.param == "memory":
        spent = MemorySpent()
        yield spent, spent
        return
    address = None
    if request.param == "postgres":
        server: Server = request.getfixturevalue("postgres")
        address = server.new_database()
    with (
        closing(open_store(tmp_path, address=address)) as one,
        closing(open_store(tmp_path, address=address)) as other,
    ):
        yield SqlSpent(one.engine), SqlSpent(other.engine)


def test_each_counts_once_wherever(pair: tuple[Spent, Spent]) -> None:
    one, other = pair
    assert one.spend("a" * 32, NOW)
    assert not one.spend("a" * 32, NOW)
    assert not other.spend("a" * 32, NOW + timedelta(days=1))
    assert other.spend("b" * 32, NOW)
    assert not one.spend("b" * 32, NOW)


def test_of_several_at_once_one_wins(pair: tuple[Spent, Spent]) -> None:
    with ThreadPoolExecutor(8) as pool:
        for name in "cdef":
            won = list(pool.map(lambda turn, n=name: pair[turn % 2].spend(n * 32, NOW), range(8)))
            assert won.count(True) == 1


def test_the_old_are_forgotten(pair: tuple[Spent, Spent]) -> None:
    one, other = pair
    for day in range(4):
        assert one.spend(f"{day:032}", NOW + timedelta(days=day))
    assert other.forget(NOW + timedelta(days=2)) == 2
    assert one.forget(NOW + timedelta(days=2)) == 0
    assert one.spend(f"{0:032}", NOW)
    assert not one.spend(f"{2:032}", NOW)
