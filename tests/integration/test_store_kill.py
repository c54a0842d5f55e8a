"""A process that enrols is killed at any moment: what it had answered is there, whole."""

from __future__ import annotations

import random
import shutil
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing, suppress
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from service.storage.sql_store import SqlStore
from tests.integration.store_children import (
    IMAGE_BYTES,
    enrol_until_killed,
    process_context,
    start,
)
from tests.integration.store_samples import EMBEDDING_LENGTH, sample_bytes
from tests.integration.vaults import open_store

KILLS = 50
# Of what is encrypted: a version, a nonce, a tag.
SEAL_BYTES = 1 + 12 + 16
SEED = 20260101
LONGEST_LIFE_S = 0.3
"""Opening takes about a quarter of it: some are killed before their first enrolment."""

Answer = tuple[str, str, list[str]]


@pytest.mark.long
def test_a_killed_process_loses_nothing_it_has_answered(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    moments = random.Random(SEED)
    answered: list[Answer] = []
    for turn in range(KILLS):
        answered += enrol_and_kill(data_dir, turn, moments.uniform(0, LONGEST_LIFE_S))
        if (data_dir / "semblance.sqlite3").exists():
            # A copy, so that the next process, not this one, recovers the files.
            copy = tmp_path / "copy"
            shutil.copytree(data_dir, copy)
            assert_nothing_is_half_there(copy / "semblance.sqlite3")
            shutil.rmtree(copy)
    assert len(answered) > KILLS / 5  # or it was too slow to show anything

    with closing(open_store(data_dir)) as store:
        assert_all_there(store, answered)
    assert_nothing_is_half_there(data_dir / "semblance.sqlite3")


def enrol_and_kill(data_dir: Path, turn: int, life_s: float) -> list[Answer]:
    ours, theirs = process_context().Pipe(duplex=False)
    with ours:
        child = start(enrol_until_killed, data_dir, turn, theirs)
        theirs.close()
        answers = receive_for(ours, life_s)
        child.kill()
        # What it had sent before the kill is still in the pipe.
        with suppress(EOFError):
            while True:
                answers.append(ours.recv())
    child.join()
    assert child.exitcode == -signal.SIGKILL, "it ended by itself"
    child.close()
    return answers


def receive_for(answers: Connection, life_s: float) -> list[Answer]:
    received: list[Answer] = []
    end = time.monotonic() + life_s
    with suppress(EOFError):
        while answers.poll(max(0, end - time.monotonic())):
            received.append(answers.recv())
            if time.monotonic() > end:
                break
    return received


def assert_nothing_is_half_there(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        if tables == 0:  # killed before the tables were made
            return
        assert connection.execute(
            """SELECT count(*) FROM face_references r LEFT JOIN reference_images i USING (id)
               WHERE i.id IS NULL OR length(i.data) != ? OR length(r.embedding) != ?""",
            (IMAGE_BYTES + SEAL_BYTES, EMBEDDING_LENGTH * 4 + SEAL_BYTES),
        ).fetchone() == (0,)
        assert connection.execute(
            """SELECT count(*) FROM identities
               WHERE id NOT IN (SELECT identity_id FROM face_references)"""
        ).fetchone() == (0,)
    with closing(open_store(database.parent)) as store:
        people = [summary.identity for summary in store.identities(None, 10**6)]
        names = [one.filename for person in people for one in store.references(person)]
        # Nor is a key left over that a killed process made for nobody.
        assert store.data_keys.count() == len(people)
    calls = Counter(name for name in names if name is not None)
    assert calls.total() == len(names)
    for filename, images in calls.items():
        assert images == int(filename.rsplit("-")[-1])


def assert_all_there(store: SqlStore, answered: list[Answer]) -> None:
    for identity, filename, reference_ids in answered:
        stored = {one.reference_id: one for one in store.references(identity)}
        for index, reference_id in enumerate(reference_ids):
            assert stored[reference_id].filename == filename
            image = store.image(identity, reference_id)
            assert image is not None
            assert image.data == sample_bytes(f"image {filename} {index}", IMAGE_BYTES)
