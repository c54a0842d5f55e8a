"""The composition root: the one place that knows every part.

`create_app(settings)` is the service as an operator runs it; with `model` or
`store` it is the same around parts that were made elsewhere.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio.to_thread
from fastapi import FastAPI

from model.errors import SemblanceError
from model.runtimes.base import Runtime
from service.api import (
    adapters,
    bulk,
    documented,
    faces,
    identities,
    liveness,
    metrics,
    origins,
    page,
    problems,
    reference_image,
    search,
    site_sessions,
    stream,
    system,
)
from service.api.access_log import Logged
from service.api.admission import Admission
from service.api.measured import Measured
from service.api.middleware import Headed
from service.api.state import AtWork, Running, State
from service.core.census import GallerySize
from service.core.core import Core
from service.core.gallery_cache import GalleryCache
from service.core.indexes import Indexes
from service.core.meters import Meters
from service.core.ports import Store
from service.models import Ahead, Models, load_models
from service.opening import gate_of, opened, page_key, tickets_of
from service.runtime.presentation import load_presentation
from service.security.passing_keys import PassingKeys
from service.security.site_keys import Ed25519SiteKeys
from service.settings import Settings, SettingsError
from service.storage.census import SqlCensus
from service.storage.error_counts import count_errors
from service.tracing import Traced, Tracing, tracing_of
from service.upkeep import change, sweep
from service.version import VERSION

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
    settings: Settings,
    *,
    model: Runtime | None = None,
    store: Store | None = None,
    ahead: Ahead | None = None,
) -> FastAPI:
    """The service; nothing is loaded or opened before its lifespan begins.

    Args:
        settings: The operator's choices.
        model: Instead of the one that the settings name.
        store: Likewise, for a service that asks for no keys. It is not closed here.
        ahead: Models of these settings that are being loaded already.

    Returns:
        The app. Its `state.failure` is what kept its lifespan from beginning, if
        it was something that an operator can put right, and None otherwise. Its
        `state.page_key` is the key that the page's address may be shown with, or None.
    """
    meters, tracing = ahead.meters if ahead else Meters(), tracing_of(settings)
    metrics.begin(meters)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[State]:
        _limit_threads()
        try:
            at_work, close = await anyio.to_thread.run_sync(
                _start,
                settings,
                ahead.models if ahead else partial(load_models, settings, meters, model),
                meters,
                tracing,
                store,
            )
            app.state.page_key = page_key(settings, at_work.running.doorkeeper)
        except (SemblanceError, OSError) as error:
            app.state.failure = error
            raise
        tasks = [asyncio.create_task(task(at_work)) for task in (sweep, change)]
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
        *(faces.router, faces.short, search.router, bulk.router, stream.router, liveness.router),
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
    app.add_middleware(Measured, meters=meters)
    if tracing is not None:
        app.add_middleware(Traced, tracing=tracing)
    return app


def _start(
    settings: Settings,
    loaded: Callable[[], Models],
    meters: Meters,
    tracing: Tracing | None,
    store: Store | None,
) -> tuple[AtWork, Callable[[], None]]:
    """Waits for the models, opens the store."""
    models = loaded()
    admission = Admission(
        settings.max_in_flight,
        settings.workers or 2 * (os.cpu_count() or 1) + 2,
        settings.queue_timeout_s,
        settings.receive_timeout_s,
        watched=models.batches is not None,
    )
    models.traffic.known = admission.several_in_work
    gate, found = None, None
    if store is None:
        found = opened(settings)
        store = found.store
        count_errors(store.databases, meters.store_errors.add)
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
        model=models.current.model,
        detector=models.current.detector,
        store=store,
        policy=settings.policy(),
        galleries=GalleryCache(settings.gallery_cache_bytes),
        indexes=Indexes(settings.search_bytes, settings.search_exact),
        next=models.newest,
        presentation=load_presentation(settings.passive_liveness, models.way),
        meters=meters,
        spans=tracing.stages if tracing else None,
    )
    census = SqlCensus(found.store.engine) if found else None
    running = Running(
        core=core,
        settings=settings,
        runtime=models.current.runtime,
        precision=models.current.precision,
        admission=admission,
        sites=Ed25519SiteKeys(found.store.data_keys if found else PassingKeys()),
        doorkeeper=gate,
        audit=found.audit if found else None,
        census=census,
        tickets=tickets,
        gallery_size=GallerySize(census) if census else None,
    )

    def close() -> None:
        admission.close()
        if models.batches is not None:
            models.batches.close()
        try:
            if gate is not None:
                gate.settle()
        finally:
            # Also writes what waits for the audit log.
            if found is not None:
                found.close()
            if tracing is not None:
                tracing.close()

    return AtWork(running), close


def _limit_threads() -> None:
    """For all but image requests, which have threads of their own."""
    anyio.to_thread.current_default_thread_limiter().total_tokens = 2 * (os.cpu_count() or 1) + 2
