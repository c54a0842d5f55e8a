"""The writer of the audit log: groups, waiting, several processes, kills, a full disk."""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, event

from service.core.errors import NotReady, StorageFull
from service.storage import engines
from service.storage.audit_check import check
from service.storage.sql_audit import SqlAudit
from tests.integration.audit_samples import (
    FILE,
    KEY,
    AuditFile,
    entry,
    fault,
    opened,
    request_ids,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AuditFile]:
    with opened(tmp_path) as store:
        yield store


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with its tables, and nothing in them."""
    folder = tmp_path_factory.mktemp("empty")
    AuditFile(folder).close()
    return folder / FILE


def commits(engine: Engine) -> list[None]:
    """Grows by one with each commit of the engine."""
    seen: list[None] = []
    event.listen(engine, "commit", lambda _: seen.append(None))
    return seen


def wait_for_rows(engine: Engine, rows: int, limit_s: float = 5) -> float:
    """Seconds until there are this many."""
    begun = time.monotonic()
    while len(request_ids(engine)) < rows:
        assert time.monotonic() - begun < limit_s
        time.sleep(0.002)
    return time.monotonic() - begun


def test_a_durable_entry_is_there_at_once(store: AuditFile) -> None:
    with closing(SqlAudit(store.engine, KEY, linger_s=60)) as log:
        for tag in range(5):
            log.record(entry(tag), durable=True)
            assert request_ids(store.engine)[-1] == f"request-{tag}"


def test_another_entry_does_not_wait_and_is_there_soon(store: AuditFile) -> None:
    with closing(SqlAudit(store.engine, KEY)) as log:
        log.record(entry("first"), durable=True)
        log.record(entry("loose"), durable=False)
        assert request_ids(store.engine) == ["request-first"]
        wait_for_rows(store.engine, 2)


def test_a_durable_entry_takes_those_before_it_along(store: AuditFile) -> None:
    with closing(SqlAudit(store.engine, KEY, linger_s=60)) as log:
        log.record(entry("loose"), durable=False)
        log.record(entry("durable"), durable=True)
        assert request_ids(store.engine) == ["request-loose", "request-durable"]


def test_what_queues_together_is_one_commit(store: AuditFile) -> None:
    made = commits(store.engine)
    with closing(SqlAudit(store.engine, KEY, linger_s=60)) as log:
        for tag in range(100):
            log.record(entry(tag), durable=False)
        log.record(entry("last"), durable=True)
        assert len(made) == 1
    assert len(request_ids(store.engine)) == 101


def test_closing_writes_all_that_queues(store: AuditFile) -> None:
    log = SqlAudit(store.engine, KEY, linger_s=60)
    for tag in range(2500):
        log.record(entry(tag), durable=False)
    log.close()
    assert request_ids(store.engine) == [f"request-{tag}" for tag in range(2500)]
    with pytest.raises(NotReady):
        log.record(entry("late"), durable=False)


def test_many_threads(store: AuditFile, tmp_path: Path) -> None:
    def work(worker: int) -> None:
        for number in range(60):
            log.record(entry(f"{worker}-{number}"), durable=number % 7 == 0)

    with closing(SqlAudit(store.engine, KEY, capacity=16)) as log:
        threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    written = request_ids(store.engine)
    for worker in range(8):
        own = [name for name in written if name.startswith(f"request-{worker}-")]
        assert own == [f"request-{worker}-{number}" for number in range(60)]
    assert check(store.engine, KEY).fault is None


def test_when_the_queue_is_full_callers_wait(store: AuditFile, tmp_path: Path) -> None:
    with (
        closing(SqlAudit(store.engine, KEY, capacity=10, linger_s=0)) as log,
        closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        for tag in range(10):
            log.record(entry(tag), durable=False)
        waiting = threading.Thread(target=log.record, args=(entry(10),), kwargs={"durable": False})
        waiting.start()
        waiting.join(0.2)
        assert waiting.is_alive()
        other.execute("ROLLBACK")
        waiting.join(5)
        assert not waiting.is_alive()
    assert len(request_ids(store.engine)) == 11


def test_what_cannot_be_stored_stops_nobody_else(store: AuditFile) -> None:
    with closing(SqlAudit(store.engine, KEY)) as log:
        with pytest.raises(UnicodeEncodeError):
            log.record(entry("\ud800"), durable=False)
        with pytest.raises(UnicodeEncodeError):
            log.record(entry("1", subject="\ud800"), durable=False)
        log.record(entry("good"), durable=True)
    assert request_ids(store.engine) == ["request-good"]


PRINTABLE = st.characters(exclude_categories=("C", "Z"), include_characters=" ")


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(groups=st.lists(st.lists(st.text(PRINTABLE, max_size=5)), max_size=6))
def test_whatever_is_written_in_whatever_groups_is_whole(
    tmp_path: Path, empty: Path, groups: list[list[str]]
) -> None:
    shutil.copy(empty, tmp_path / FILE)
    with opened(tmp_path) as store:
        for group in groups:
            with closing(SqlAudit(store.engine, KEY, linger_s=60)) as log:
                for tag in group:
                    log.record(entry(tag, subject=tag, collection=tag), durable=False)
        written = sum(map(len, groups))
        assert check(store.engine, KEY).good.number == len(request_ids(store.engine)) == written
        assert check(store.engine, KEY).fault is None


# A disk that fails


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[tuple[Engine, dict[str, int]]]:
    """An engine over a database that may have only so many pages, as set in the dict."""
    AuditFile(tmp_path).close()
    bound = {"pages": (tmp_path / FILE).stat().st_size // 4096 + 4}
    engine = engines.sqlite_engine(tmp_path / FILE)

    @event.listens_for(engine, "checkout")
    def limit(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {bound['pages']}")

    yield engine, bound
    engine.dispose()


def fill(log: SqlAudit) -> int:
    """Records until the disk is full; answers how many entries were taken with success."""
    for taken in range(10_000):
        try:
            log.record(entry(taken), durable=taken % 10 == 0)
        except StorageFull:
            return taken
    raise AssertionError("the disk never got full")


def test_a_full_disk_stops_what_would_go_unrecorded(
    narrow: tuple[Engine, dict[str, int]], tmp_path: Path
) -> None:
    engine, bound = narrow
    with closing(SqlAudit(engine, KEY, retry_s=0.02)) as log:
        taken = fill(log)
        assert taken
        # Neither begun nor answered, whether anybody would wait for it or not.
        with pytest.raises(StorageFull):
            log.check()
        with pytest.raises(StorageFull):
            log.record(entry("loose"), durable=False)
        with pytest.raises(StorageFull):
            log.record(entry("durable"), durable=True)
        # What was done in vain is tried again, and all goes on as soon as there is room.
        bound["pages"] += 1000
        deadline = time.monotonic() + 5
        while True:
            with suppress(StorageFull):
                log.check()
                break
            assert time.monotonic() < deadline
            time.sleep(0.01)
        log.record(entry("after"), durable=True)
    written = request_ids(engine)
    assert written == [
        *(f"request-{tag}" for tag in range(taken + 1)),
        *("request-loose", "request-durable", "request-after"),
    ]
    assert fault(tmp_path) is None


def test_closing_on_a_full_disk_says_what_is_lost(
    narrow: tuple[Engine, dict[str, int]], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    log = SqlAudit(narrow[0], KEY, retry_s=0.02)
    taken = fill(log)
    with pytest.raises(StorageFull):
        log.close()
    lost = taken + 1 - len(request_ids(narrow[0]))
    assert f"{lost} entries of the audit log could not be written" in caplog.text
    assert fault(tmp_path) is None
