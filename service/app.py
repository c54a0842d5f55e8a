"""The composition root: the one place that knows every part.

`create_app(settings)` is the service as an operator runs it; with `model` or
`store` it is the same around parts that were made elsewhere.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
from fastapi import FastAPI

from model.artifact import read_artifact
from model.errors import SemblanceError
from model.heap import give_back_freed
from model.runtimes.base import Runtime
from model.runtimes.batches import Batches
from model.runtimes.compiled import CompiledNetworks
from model.runtimes.network import model_threads
from service.api import (
    adapters,
    documented,
    faces,
    identities,
    liveness,
    metrics,
    origins,
    page,
    problems,
    reference_image,
    site_sessions,
    stream,
    system,
)
from service.api.access_log import Logged
from service.api.admission import Admission
from service.api.middleware import Headed
from service.api.state import AtWork, Running, State
from service.core.audit import AuditEntry
from service.core.core import Core
from service.core.erase import erase_identity
from service.core.gallery_cache import GalleryCache
from service.core.ports import Store
from service.core.retention import erase_expired
from service.core.steady_clock import SteadyClock
from service.model_change import Watch, drop_old
from service.opening import gate_of, opened, page_key, tickets_of
from service.runtime.load import Way, load, load_two
from service.runtime.presentation import load_presentation
from service.security.passing_keys import PassingKeys
from service.security.site_keys import Ed25519SiteKeys
from service.settings import Settings, SettingsError
from service.storage.census import SqlCensus
from service.version import VERSION

_SWEEP_S = 60
_CHANGE_S = 5
_RETENTION_TURNS = 60
_log = logging.getLogger("semblance")
DESCRIPTION = """Self-hosted face verification: is the person in front of the camera the one
who enrolled? Errors are `application/problem+json` with a stable `code`."""


class _App(FastAPI):
    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = documented.with_keys(
                documented.as_problem_json(super().openapi())
            )
        return self.openapi_schema


def create_app(
    settings: Settings, *, model: Runtime | None = None, store: Store | None = None
) -> FastAPI:
    """The service; nothing is loaded or opened before its lifespan begins.

    Args:
        settings: The operator's choices.
        model: Instead of the one that the settings name.
        store: Likewise, for a service that asks for no keys. It is not closed here.

    Returns:
        The app. Its `state.failure` is what kept its lifespan from beginning, if
        it was something that an operator can put right, and None otherwise. Its
        `state.page_key` is the key that the page's address may be shown with, or None.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[State]:
        _limit_threads()
        try:
            at_work, close = await anyio.to_thread.run_sync(_start, settings, model, store)
            app.state.page_key = page_key(settings, at_work.running.doorkeeper)
        except (SemblanceError, OSError) as error:
            app.state.failure = error
            raise
        tasks = [asyncio.create_task(task(at_work)) for task in (_sweep, _change)]
        try:
            yield State(at_work=at_work)
        finally:
            for task in tasks:
                task.cancel()
            await anyio.to_thread.run_sync(close)

    app = _App(
        title="Semblance",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        responses=documented.EVERY_ROUTE,
        docs_url=None,
        redoc_url=None,
        # Off unless asked for: no spans or metrics are made on the request path.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.failure = None
    app.state.page_key = None
    problems.install(app)
    for router in (
        *(faces.router, faces.short, stream.router, liveness.router),
        *(identities.router, reference_image.router, site_sessions.router),
        *(system.router, metrics.router),
    ):
        app.include_router(router)
    adapters.install(app, settings)
    page.install(app)
    origins.allow(app, settings.cors_origins, put=settings.compreface)
    app.add_middleware(Headed)
    if settings.access_log:
        app.add_middleware(Logged)
    return app


def _start(
    settings: Settings, model: Runtime | None, store: Store | None
) -> tuple[AtWork, Callable[[], None]]:
    """Reads the artifacts, loads and warms the models, opens the store."""
    artifact = read_artifact(settings.artifact)
    networks = CompiledNetworks(settings.data_dir / "compiled")
    most_batched = max(settings.faces_at_once, settings.pictures_at_once)
    batches = Batches(model_threads()) if most_batched > 1 and settings.threads == 0 else None
    admission = Admission(
        settings.max_in_flight,
        settings.workers or 2 * (os.cpu_count() or 1) + 2,
        settings.queue_timeout_s,
        settings.receive_timeout_s,
        watched=batches is not None,
    )
    way = Way(
        runtime=settings.runtime,
        threads=settings.threads,
        min_confidence=settings.face_confidence,
        networks=networks,
        several=admission.several_in_work,
        batches=batches,
        faces_at_once=settings.faces_at_once,
        pictures_at_once=settings.pictures_at_once,
    )
    following = read_artifact(settings.next_artifact) if settings.next_artifact else None
    if following is None or following.manifest.fingerprint == artifact.manifest.fingerprint:
        current, newest = load(artifact, way, runtime=model), None
    else:
        current, newest = load_two(artifact, following, way, model)
    gate, found = None, None
    if store is None:
        found = opened(settings)
        store = found.store
        try:
            gate = None if settings.insecure else gate_of(settings, found)
            tickets = tickets_of(settings, found)
        except BaseException:
            found.close()
            raise
    elif not settings.insecure:
        raise SettingsError("keys are kept in the service's own database; set `insecure`")
    else:
        tickets = tickets_of(settings, None)
    core = Core(
        model=current.model,
        detector=current.detector,
        store=store,
        policy=settings.policy(),
        galleries=GalleryCache(settings.gallery_cache_bytes),
        next=newest,
        presentation=load_presentation(settings.passive_liveness, way),
    )
    running = Running(
        core=core,
        settings=settings,
        runtime=current.runtime,
        precision=current.precision,
        admission=admission,
        sites=Ed25519SiteKeys(found.store.data_keys if found else PassingKeys()),
        doorkeeper=gate,
        audit=found.audit if found else None,
        census=SqlCensus(found.store.engine) if found else None,
        tickets=tickets,
    )

    def close() -> None:
        admission.close()
        if batches is not None:
            batches.close()
        try:
            if gate is not None:
                gate.settle()
        finally:
            # Also writes what waits for the audit log.
            if found is not None:
                found.close()

    return AtWork(running), close


async def _change(at_work: AtWork) -> None:
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


async def _sweep(at_work: AtWork) -> None:
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

    def erase(collection: str, identity: str) -> None:
        erase_identity(core.within(collection), identity)
        if running.audit is not None:
            entry = AuditEntry("retention", "ok", collection, subject=identity)
            running.audit.record(entry, durable=True)

    count = sum(1 for _ in erase_expired(core.store, core.policy, erase))
    if count:
        _log.info("%d identities were erased, as their time was over", count)


def _limit_threads() -> None:
    """For all but image requests, which have threads of their own."""
    anyio.to_thread.current_default_thread_limiter().total_tokens = 2 * (os.cpu_count() or 1) + 2
