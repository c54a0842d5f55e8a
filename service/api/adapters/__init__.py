"""Answers in the shapes of other systems, for those who come from there; off by default.

They are other words for the service's own routes: the same keys, scopes, limits and
throttle, the same lines in the audit log. They are not in OpenAPI, where those systems'
own documents count.
"""

from __future__ import annotations

from fastapi import FastAPI

from service.settings import Settings


def install(app: FastAPI, settings: Settings) -> None:
    """Adds the adapters that the operator has switched on."""
    if settings.compreface:
        from service.api.adapters.compreface import faces, judging, subjects

        for router in (subjects.router, faces.router, judging.router):
            app.include_router(router)
    if settings.deepface:
        from service.api.adapters.deepface.routes import router

        app.include_router(router)
