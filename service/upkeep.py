"""What the service does now and then, whether or not anybody asks for anything."""

from __future__ import annotations

import asyncio
import itertools
import logging

import anyio.to_thread

from model.heap import give_back_freed
from service.api.state import AtWork, Running
from service.core.audit import AuditEntry
from service.core.erase import erase_identity
from service.core.retention import erase_expired
from service.core.steady_clock import SteadyClock
from service.model_change import Watch, drop_old

_SWEEP_S = 60
_CHANGE_S = 5
_RETENTION_TURNS = 60
_log = logging.getLogger("semblance")


async def change(at_work: AtWork) -> None:
    """Lets the old model go when no reference is of it any more."""
    watch = Watch()
    while True:
        try:
            await anyio.to_thread.run_sync(drop_old, at_work)
            await anyio.to_thread.run_sync(watch.look, at_work.running)
        except Exception:
            # Likewise: the next look tells.
            _log.warning("by which models the references are was not found out", exc_info=True)
        await asyncio.sleep(_SWEEP_S if at_work.running.core.next is None else _CHANGE_S)


async def sweep(at_work: AtWork) -> None:
    """What is to be done now and then, also when nobody asks for anything."""
    clock = SteadyClock()
    for turn in itertools.count():
        await asyncio.sleep(_SWEEP_S)
        # Not longer than for one turn: it holds the models, and one of them may go.
        running = at_work.running
        running.core.galleries.drop_unused()
        jump_s = clock.jump_s()
        if jump_s:
            _log.warning("the clock was set by %+.0f s: nobody is erased by age for a day", jump_s)
        try:
            if running.doorkeeper is not None:
                await anyio.to_thread.run_sync(running.doorkeeper.settle)
            await anyio.to_thread.run_sync(running.core.indexes.sweep)
            if running.tickets is not None:
                await anyio.to_thread.run_sync(running.tickets.forget_old)
            if turn % _RETENTION_TURNS == 0 and clock.is_steady():
                await anyio.to_thread.run_sync(_retain, running)
        except Exception:
            # The store is busy, full or away, whatever it says then: the next turn does it.
            _log.warning("the sweep of the store was put off", exc_info=True)
        # Of the largest pictures that ever came at once; glibc would keep their place for ever.
        await anyio.to_thread.run_sync(give_back_freed)
        del running


def _retain(running: Running) -> None:
    core = running.core
    core.store.forget_changes()

    def erase(collection: str, identity: str) -> None:
        erase_identity(core.within(collection), identity)
        if running.audit is not None:
            entry = AuditEntry("retention", "ok", collection, subject=identity)
            running.audit.record(entry, durable=True)

    count = sum(1 for _ in erase_expired(core.store, core.policy, erase))
    if count:
        _log.info("%d identities were erased, as their time was over", count)
