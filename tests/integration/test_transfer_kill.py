"""Backup, restore and migrate-store are killed in the middle: nothing half is left, and the
same command then succeeds.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.integration.store_children import start
from tests.integration.store_samples import new_reference
from tests.integration.transfer_samples import (
    Spot,
    all_rows,
    fill,
    give_master_key,
    is_empty,
    run_in_child,
    spot,
    without_audit,
)
from tests.postgres import Server

KILLS = 4
SEED = 20260131
IMAGE_BYTES = 60_000
LIMIT_S = 60
STALL_S = 25


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Spot:
    """Some 50 MB, which take a moment to write."""
    place = Spot(tmp_path_factory.mktemp("killed") / "source")
    fill(place)
    with closing(place.opened()) as found:
        for number in range(200):
            tags = [f"large {number} {turn}" for turn in range(4)]
            found.store.enrol(
                f"large {number}",
                [new_reference(tag, image_bytes=IMAGE_BYTES) for tag in tags],
                limit=9,
            )
    return place


def kill_some(
    place: Spot, arguments: list[str], has_begun: Callable[[], bool], check: Callable[[], None]
) -> None:
    """Kills the command again and again, at any moment after it has begun to write."""
    moments = random.Random(SEED)
    killed = 0
    for _ in range(KILLS):
        child = start(run_in_child, place.environment, arguments)
        deadline = time.monotonic() + LIMIT_S
        while not has_begun() and child.is_alive():
            assert time.monotonic() < deadline
            time.sleep(0.002)
        # At once the first time: whatever the machine, it is in the middle then.
        time.sleep(moments.uniform(0, 0.3) if killed else 0)
        child.kill()
        child.join()
        if child.exitcode != -signal.SIGKILL:
            # It was quicker; which is whole.
            assert child.exitcode == 0
            return
        killed += 1
        check()
    assert killed == KILLS


def test_a_backup_that_is_killed_leaves_no_file(source: Spot, tmp_path: Path) -> None:
    file, part = tmp_path / "file", tmp_path / ".file.part"
    sizes = []

    def nothing_under_its_name() -> None:
        assert not file.exists()
        sizes.append(part.stat().st_size)
        assert part.stat().st_mode & 0o777 == 0o600

    kill_some(
        source,
        ["backup", str(file)],
        lambda: part.exists() and part.stat().st_size > 2**20,
        nothing_under_its_name,
    )
    assert sizes, "it was never killed in the middle"
    if not file.exists():
        source.command("backup", file)
    assert not part.exists()
    assert "can be restored" in source.command("restore", file, "--check")


@pytest.mark.parametrize(
    "kind",
    [
        "apart",
        pytest.param("sqlite", marks=pytest.mark.long),
        pytest.param("postgres", marks=pytest.mark.long),
    ],
)
def test_a_restore_that_is_killed_can_be_done_again(
    source: Spot, kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    file = tmp_path / "file"
    source.command("backup", file)
    target = _target(kind, source, tmp_path, request)
    killed: list[None] = []

    def nothing_is_there() -> None:
        assert is_empty(target)
        killed.append(None)

    kill_some(target, ["restore", str(file)], _begun(target, request), nothing_is_there)
    assert killed, "it was never killed in the middle"
    if is_empty(target):
        target.command("restore", file)
    assert without_audit(all_rows(target)) == without_audit(all_rows(source))
    assert "as it was written" in target.command("audit", "verify")


@pytest.mark.parametrize("kind", ["apart", pytest.param("sqlite", marks=pytest.mark.long)])
def test_a_migration_that_is_killed_can_be_done_again(
    source: Spot, kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    target = _target(kind, source, tmp_path, request)
    to = ["--to", target.database or f"sqlite:{target.data_dir}"]
    to += ["--keys-to", target.keys_database] if target.keys_database else []
    killed: list[None] = []

    def nothing_is_there() -> None:
        assert is_empty(target)
        killed.append(None)

    kill_some(source, ["migrate-store", *to], _begun(target, request), nothing_is_there)
    assert killed, "it was never killed in the middle"
    if is_empty(target):
        source.command("migrate-store", *to)
    assert without_audit(all_rows(target)) == without_audit(all_rows(source))
    assert "as it was written" in target.command("audit", "verify")


@pytest.mark.long
def test_a_server_that_stalls_is_waited_for(
    source: Spot, tmp_path: Path, request: pytest.FixtureRequest, postgres: Server
) -> None:
    """As when its disk is busy: longer than the service itself would wait for it."""
    file = tmp_path / "file"
    source.command("backup", file)
    target = _target("postgres", source, tmp_path, request)
    assert target.database is not None
    has_begun = _begun(target, request)
    child = start(run_in_child, target.environment, ["restore", str(file)])
    deadline = time.monotonic() + LIMIT_S
    while not has_begun():
        assert time.monotonic() < deadline
        time.sleep(0.002)
    found = postgres.execute(
        "SELECT a.pid FROM pg_stat_activity a JOIN pg_locks l ON a.pid = l.pid "
        "JOIN pg_class c ON c.oid = l.relation WHERE c.relname = 'reference_images' "
        "AND l.mode = 'RowExclusiveLock'",
        target.database.rpartition("/")[2],
    )
    ((pid,),) = found
    assert isinstance(pid, int)
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(STALL_S)
        assert child.is_alive()
    finally:
        os.kill(pid, signal.SIGCONT)
    child.join(LIMIT_S)
    assert child.exitcode == 0
    assert without_audit(all_rows(target)) == without_audit(all_rows(source))


def _target(kind: str, source: Spot, folder: Path, request: pytest.FixtureRequest) -> Spot:
    server: Server | None = None if kind == "sqlite" else request.getfixturevalue("postgres")
    target = spot(kind, folder / "target", server)
    give_master_key(source, target)
    return target


def _begun(target: Spot, request: pytest.FixtureRequest) -> Callable[[], bool]:
    """Whether somebody has written rows there that are not committed."""
    if target.database is None:
        log = target.data_dir / "semblance.sqlite3-wal"
        return lambda: log.exists() and log.stat().st_size > 2**20
    name = target.database.rpartition("/")[2]
    server: Server = request.getfixturevalue("postgres")
    watcher = psycopg.connect(server.address(name), autocommit=True)
    request.addfinalizer(watcher.close)

    def has_begun() -> bool:
        found = watcher.execute(
            "SELECT pg_total_relation_size(c.oid) FROM pg_class c "
            "JOIN pg_locks l ON l.relation = c.oid "
            "WHERE c.relname = 'reference_images' AND l.mode = 'RowExclusiveLock'"
        ).fetchone()
        return found is not None and found[0] > 2**20

    return has_begun
