"""The composition root: the one place that knows every part.

`create_app(settings)` is the service as an operator runs it; with `model` or
`store` it is the same around parts that were made elsewhere.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
from fastapi import FastAPI

from model.artifact import read_artifact
from model.errors import SemblanceError
from model.faces import Detector
from model.runtimes.base import Runtime
from model.runtimes.compiled import CompiledNetworks
from service.api import documented, faces, identities, page, problems, system
from service.api.admission import Admission
from service.api.middleware import Headed
from service.api.state import Running, State
from service.core.core import Core
from service.core.gallery_cache import GalleryCache
from service.core.ports import Store
from service.runtime.load import load_runtime, warm_up
from service.settings import Settings
from service.storage.sql_store import open_store

_SWEEP_S = 60
VERSION = "0.1.0"
DESCRIPTION = """Self-hosted face verification: is the person in front of the camera the one
who enrolled? Errors are `application/problem+json` with a stable `code`."""


class _App(FastAPI):
    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = documented.as_problem_json(super().openapi())
        return self.openapi_schema


def create_app(
    settings: Settings, *, model: Runtime | None = None, store: Store | None = None
) -> FastAPI:
    """The service; nothing is loaded or opened before its lifespan begins.

    Args:
        settings: The operator's choices.
        model: Instead of the one that the settings name.
        store: Likewise. It is not closed here.

    Returns:
        The app. Its `state.failure` is what kept its lifespan from beginning, if
        it was something that an operator can put right, and None otherwise.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[State]:
        _limit_threads()
        try:
            running, close = await anyio.to_thread.run_sync(_start, settings, model, store)
        except (SemblanceError, OSError) as error:
            app.state.failure = error
            raise
        sweeping = asyncio.create_task(_sweep(running.core.galleries))
        try:
            yield State(running=running)
        finally:
            sweeping.cancel()
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
    problems.install(app)
    for router in (faces.router, faces.short, identities.router, system.router):
        app.include_router(router)
    page.install(app)
    app.add_middleware(Headed)
    return app


def _start(
    settings: Settings, model: Runtime | None, store: Store | None
) -> tuple[Running, Callable[[], None]]:
    """Reads the artifact, loads and warms the model, opens the store."""
    artifact = read_artifact(settings.artifact)
    networks = CompiledNetworks(settings.data_dir / "compiled")
    admission = Admission(
        settings.max_in_flight,
        settings.workers or 2 * (os.cpu_count() or 1) + 2,
        settings.queue_timeout_s,
    )
    several = admission.several_in_work
    runtime = model or load_runtime(settings.runtime, artifact, settings.threads, networks, several)
    detector = Detector(
        artifact.detector,
        threads=settings.threads,
        min_confidence=settings.face_confidence,
        networks=networks,
        integers=False if settings.runtime == "openvino-float32" else None,
        several=several,
    )
    warm_up(runtime, detector)
    opened = store or open_store(settings.data_dir)
    core = Core(
        model=runtime,
        detector=detector,
        store=opened,
        policy=settings.policy(),
        galleries=GalleryCache(settings.gallery_cache_bytes),
    )
    running = Running(
        core=core,
        settings=settings,
        runtime=runtime.name,
        precision=runtime.precision,
        admission=admission,
    )

    def close() -> None:
        running.admission.close()
        if store is None:
            opened.close()

    return running, close


async def _sweep(galleries: GalleryCache) -> None:
    """Forgets what was not used for long, also when nobody asks for anything."""
    while True:
        await asyncio.sleep(_SWEEP_S)
        galleries.drop_unused()


def _limit_threads() -> None:
    """For all but image requests, which have threads of their own."""
    anyio.to_thread.current_default_thread_limiter().total_tokens = 2 * (os.cpu_count() or 1) + 2
