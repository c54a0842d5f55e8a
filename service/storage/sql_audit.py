"""The audit log in an SQL database, written by one thread in groups.

    record ──> queue ──> one transaction for all that queued while the last one ran

An entry that nobody waits for is written within `LINGER_S` and the time of a commit; a
durable one makes its group go at once. Each group is one commit, so one wait for the
disk, however many requests it holds.

When a group cannot be written, nothing of it is lost: it stays at the front of the
queue and is tried again every `RETRY_S`. In the meantime `check` and every `record`
raise, so that no action begins and no answer goes out of which there is no record;
what they were given is queued all the same, as long as there is room. When an attempt
succeeds, all goes on by itself.

What is lost if the process is killed: entries of the last moment that nobody waited
for. What may be missing from the log though it was done: an action that was under way
when the disk failed, whose caller got an error, if the process then ends before the
disk is mended; `close` says how many.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice
from typing import Final

from sqlalchemy import Engine

from model.errors import Overloaded, SemblanceError
from service.core.audit import AuditEntry, AuditState
from service.core.errors import DamagedData, NotReady, StorageFull
from service.core.secrecy import DataKey
from service.storage.audit_chain import Row, to_row
from service.storage.audit_rows import append
from service.storage.engines import WRITES
from service.storage.faults import translated

_log = logging.getLogger(__name__)

LINGER_S: Final = 0.25
"""A commit takes milliseconds of a core: with 0.03 one client of `fast` waited 0.5 ms longer."""
RETRY_S: Final = 0.5
CAPACITY: Final = 10_000
"""Entries that queue; when it is full, callers wait."""

GROUP: Final = 1000
"""Entries of one transaction: so that others, too, get to write."""

_KINDS: Final = (StorageFull, Overloaded, DamagedData)


@dataclass
class _Queued:
    row: Row
    since: float
    done: Future[None] | None


class SqlAudit:
    """`service.core.audit.AuditLog` over a migrated database.

    Several processes may have one database. Its thread begins at once and ends with
    `close`; nothing queued is left behind then.
    """

    def __init__(
        self,
        engine: Engine,
        key: DataKey,
        *,
        capacity: int = CAPACITY,
        linger_s: float = LINGER_S,
        retry_s: float = RETRY_S,
    ) -> None:
        self._engine = engine.execution_options(**WRITES)
        self._key = key
        self._capacity, self._linger_s, self._retry_s = capacity, linger_s, retry_s
        self._queue: deque[_Queued] = deque()
        self._urgent = 0
        self._written = 0
        self._failed = 0
        self._failure: type[SemblanceError] | None = None
        self._closing = False
        lock = threading.Lock()
        # Two conditions, so that the writer is not woken for each entry.
        self._work = threading.Condition(lock)
        self._room = threading.Condition(lock)
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        self._thread.start()

    def check(self) -> None:
        failure = self._failure
        if failure is not None:
            raise _error(failure)

    def record(self, entry: AuditEntry, *, durable: bool) -> None:
        row = to_row(self._key, entry)
        done: Future[None] | None = Future() if durable else None
        with self._work:
            while self._is_full() and self._failure is None and not self._closing:
                self._room.wait()
            if self._closing:
                raise NotReady("the audit log is closed")
            failure = self._failure
            if failure is None or not self._is_full():
                self._add(_Queued(row, time.monotonic(), None if failure else done))
        if failure is not None:
            raise _error(failure)
        if done is not None:
            done.result()

    def state(self) -> AuditState:
        return AuditState(len(self._queue), self._written, self._failed, self._failure is not None)

    def close(self) -> None:
        with self._work:
            self._closing = True
            self._work.notify_all()
            self._room.notify_all()
        self._thread.join()
        if self._queue:
            _log.critical("%d entries of the audit log could not be written", len(self._queue))
            raise _error(self._failure or NotReady)

    def _is_full(self) -> bool:
        return len(self._queue) >= self._capacity

    def _add(self, queued: _Queued) -> None:
        self._queue.append(queued)
        if queued.done is not None:
            self._urgent += 1
        if queued.done is not None or len(self._queue) in (1, GROUP):
            self._work.notify()

    def _run(self) -> None:
        while True:
            group = self._next_group()
            if not group:
                return
            failure = self._failure_of(group)
            with self._work:
                self._settle(group, failure)
                if failure is not None:
                    if self._closing:
                        return
                    self._work.wait_for(lambda: self._closing, self._retry_s)

    def _next_group(self) -> list[_Queued]:
        """What to write now, after a wait for it; empty at the end."""
        with self._work:
            self._work.wait_for(lambda: self._queue or self._closing)
            if self._queue:
                left_s = self._queue[0].since + self._linger_s - time.monotonic()
                self._work.wait_for(self._is_due, max(0.0, left_s))
            return list(islice(self._queue, GROUP))

    def _is_due(self) -> bool:
        return bool(self._urgent) or self._closing or len(self._queue) >= GROUP

    def _failure_of(self, group: list[_Queued]) -> type[SemblanceError] | None:
        """Writes a group; what kept it from being written, if anything did."""
        try:
            with translated(), self._engine.begin() as connection:
                append(connection, self._key, [queued.row for queued in group])
        except Exception as error:
            if self._failure is None:
                _log.exception("the audit log cannot be written")
            return next((kind for kind in _KINDS if isinstance(error, kind)), NotReady)
        return None

    def _settle(self, group: list[_Queued], failure: type[SemblanceError] | None) -> None:
        """Says to those who wait how it went; forgets what is on the disk."""
        if failure is None and self._failure is not None:
            _log.warning("the audit log can be written again")
        self._failure = failure
        if failure is None:
            for _ in group:
                self._queue.popleft()
            self._written += len(group)
        else:
            self._failed += 1
        # While it fails nobody is left to wait: whoever comes is refused.
        waiting = self._queue if failure is not None else group
        for queued in waiting:
            if queued.done is not None:
                self._urgent -= 1
                done, queued.done = queued.done, None
                if failure is None:
                    done.set_result(None)
                else:
                    done.set_exception(_error(failure))
        self._room.notify_all()


def _error(kind: type[SemblanceError]) -> SemblanceError:
    return kind("The audit log cannot be written at the moment.")
