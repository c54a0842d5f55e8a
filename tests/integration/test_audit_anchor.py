"""Heads and anchors of the audit log: what is put back, forged, or refused."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from service.core.errors import DamagedData
from service.security.vault import AesDataKey
from service.storage.audit_chain import GENESIS, Anchor, Head, mac_of
from service.storage.audit_check import check
from service.storage.sql_audit import SqlAudit
from tests.integration.audit_samples import (
    FILE,
    KEY,
    entry,
    fault,
    found,
    opened,
    outsider,
    verdict,
    write,
)

ROWS = 12


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


def older_head(database: Path, data_dir: Path) -> tuple[object, ...]:
    """The head as it was `ROWS` rows ago, after five more were written."""
    with closing(sqlite3.connect(database)) as connection:
        head: tuple[object, ...] = connection.execute("SELECT * FROM audit_head").fetchone()
    with opened(data_dir) as store:
        write(store.engine, 5)
    return head


def put_head(connection: sqlite3.Connection, head: tuple[object, ...]) -> None:
    connection.execute("DELETE FROM audit_head")
    connection.execute("INSERT INTO audit_head VALUES (?, ?, ?, ?, ?, ?)", head)


def test_the_head_put_back(data_dir: Path, database: Path) -> None:
    head = older_head(database, data_dir)
    with outsider(database) as connection:
        put_head(connection, head)
    assert found(data_dir) == (None, "rolled back")


def test_everything_put_back_is_found_by_an_anchor_alone(data_dir: Path, database: Path) -> None:
    head = older_head(database, data_dir)
    anchor = verdict(data_dir).good
    with outsider(database) as connection:
        put_head(connection, head)
        connection.execute("DELETE FROM audit_log WHERE number > ?", (ROWS,))
    assert fault(data_dir) is None
    wrong = fault(data_dir, anchor)
    assert wrong is not None
    assert (wrong.number, wrong.what) == (ROWS + 1, "rolled back")
    # Nor does it help to fill the log up again.
    with opened(data_dir) as store:
        write(store.engine, 9)
    wrong = fault(data_dir, anchor)
    assert wrong is not None
    assert (wrong.number, wrong.what) == (anchor.number, "rolled back")


def test_an_anchor_of_any_earlier_moment_is_met(data_dir: Path) -> None:
    earlier = verdict(data_dir).good
    with opened(data_dir) as store:
        write(store.engine, 3)
    assert fault(data_dir, earlier) is None
    assert fault(data_dir, Anchor(0, GENESIS)) is None
    assert fault(data_dir, Anchor(earlier.number, "0" * 64)) is not None
    assert fault(data_dir, Anchor(10**6, earlier.mac)) is not None


def test_an_empty_log_is_whole_but_meets_no_anchor(tmp_path: Path) -> None:
    assert fault(tmp_path) is None
    assert fault(tmp_path, Anchor(1, "0" * 64)) is not None


def test_who_does_not_have_the_key_cannot_chain_rows_anew(data_dir: Path, database: Path) -> None:
    """Rows and head, made by the very code of this service with another key."""
    forger = AesDataKey(b"f" * 32)
    with outsider(database) as connection:
        connection.execute("UPDATE audit_log SET outcome = 'not_verified' WHERE number = 5")
        mac, number = GENESIS, 0
        for number, *columns in connection.execute(
            "SELECT number, at_us, actor, collection, action, subject, outcome, details, "
            "request_id FROM audit_log ORDER BY number"
        ).fetchall():
            mac = mac_of(forger, mac, number, tuple(columns)) or ""
            connection.execute("UPDATE audit_log SET mac = ? WHERE number = ?", (mac, number))
    assert found(data_dir) == (1, "changed")
    values = Head(last=Anchor(number, mac)).values(forger)
    with outsider(database) as connection:
        put_head(connection, (1, *values.values()))
    assert found(data_dir) == (None, "changed")
    # To its own key it is whole: so it was the key alone that told.
    with opened(data_dir) as store:
        assert check(store.engine, forger).fault is None


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE audit_head SET count = 3",
        "DELETE FROM audit_head",
        # What would fit, but for the seal: to go on would make it good.
        "DELETE FROM audit_log WHERE number > 3; UPDATE audit_head SET (count, mac) = "
        "(SELECT number, mac FROM audit_log WHERE number = 3)",
    ],
)
def test_nothing_is_written_over_what_was_changed(
    data_dir: Path, database: Path, deed: str
) -> None:
    with outsider(database) as connection:
        connection.executescript(deed)
    before = fault(data_dir)
    with opened(data_dir) as store:
        log = SqlAudit(store.engine, KEY, retry_s=0.01)
        with pytest.raises(DamagedData):
            log.record(entry("new"), durable=True)
        with pytest.raises(DamagedData):
            log.check()
        with pytest.raises(DamagedData):
            log.close()
    assert fault(data_dir) == before


def test_a_head_put_back_does_not_overwrite_rows(data_dir: Path, database: Path) -> None:
    head = older_head(database, data_dir)
    with closing(sqlite3.connect(database)) as connection:
        put_head(connection, head)
        connection.commit()
    with opened(data_dir) as store:
        log = SqlAudit(store.engine, KEY, retry_s=0.01)
        with pytest.raises(DamagedData):
            log.record(entry("new"), durable=True)
        with pytest.raises(DamagedData):
            log.close()
    assert found(data_dir) == (None, "rolled back")


@pytest.mark.parametrize(
    "deed",
    [
        "UPDATE audit_log SET outcome = 'x' WHERE number = 5",
        "DELETE FROM audit_log WHERE number = 5",
        "DELETE FROM audit_log",
        "REPLACE INTO audit_log SELECT * FROM audit_log WHERE number = 5",
    ],
)
def test_by_accident_nothing_is_changed(data_dir: Path, deed: str) -> None:
    with (
        opened(data_dir) as store,
        pytest.raises(IntegrityError, match="append-only"),
        store.engine.begin() as connection,
    ):
        connection.exec_driver_sql(deed)
    assert found(data_dir) is None
