"""Several processes write one audit log, and some are killed."""

from __future__ import annotations

import random
import signal
import time
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from tests.integration.audit_samples import (
    AuditFile,
    fault,
    opened,
    record_some,
    record_until_killed,
    request_ids,
    verdict,
)
from tests.integration.store_children import process_context, start

SEED = 20260101


def test_two_processes_write_one_chain(tmp_path: Path) -> None:
    with opened(tmp_path):  # so that the race is for the chain, not for the tables
        ready = process_context().Barrier(2)
        children = [start(record_some, tmp_path, worker, 200, ready) for worker in range(2)]
        for child in children:
            child.join(60)
        assert [child.exitcode for child in children] == [0, 0]
    with opened(tmp_path) as store:
        written = request_ids(store.engine)
    assert fault(tmp_path) is None
    turns = sum(a.split("-")[1] != b.split("-")[1] for a, b in pairwise(written))
    assert turns > 5, "they did not write at once"
    for worker in range(2):
        own = [name for name in written if name.startswith(f"request-{worker}-")]
        assert own == [f"request-{worker}-{number}" for number in range(200)]


def test_a_killed_process_leaves_a_whole_chain_and_all_it_has_answered(tmp_path: Path) -> None:
    moments = random.Random(SEED)
    answered: list[str] = []
    AuditFile(tmp_path).close()
    for turn in range(15):
        ours, theirs = process_context().Pipe(duplex=False)
        with ours:
            child = start(record_until_killed, tmp_path, turn, theirs)
            theirs.close()
            end = time.monotonic() + moments.uniform(0.05, 0.3)
            with suppress(EOFError):
                while ours.poll(max(0, end - time.monotonic())):
                    answered.append(ours.recv())
                    if time.monotonic() > end:
                        break
            child.kill()
            with suppress(EOFError):
                while True:
                    answered.append(ours.recv())
        child.join()
        assert child.exitcode == -signal.SIGKILL, "it ended by itself"
        assert fault(tmp_path) is None
    assert len(answered) > 50  # or it was too slow to show anything
    with opened(tmp_path) as store:
        written = request_ids(store.engine)
    assert set(answered) <= set(written)
    assert len(set(written)) == len(written)
    assert verdict(tmp_path).good.number == len(written)
