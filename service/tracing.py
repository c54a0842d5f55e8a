"""Traces by OpenTelemetry, for an operator who asks for them: a span a request, one a stage.

    POST /v1/verify                      route, method, status
      references, decode, detect, align, embed, score

A span has no identity, key, address, request id or picture. The caller's `traceparent` is
followed, so that its trace goes on here; its baggage is not read. Nothing of OpenTelemetry
is imported unless `SEMBLANCE_TRACES_ENDPOINT` is set. Spans leave in the background: a
collector that is away costs spans, no request.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api.access_log import method_of, route_of
from service.core.stopwatch import Run
from service.settings import Settings, SettingsError
from service.version import VERSION

if TYPE_CHECKING:
    from opentelemetry.trace import Span

_SEND_S: Final = 5.0
_FAULT: Final = 500


class Tracing:
    """Makes spans and sends them; any thread may use it.

    Raises:
        SettingsError: If OpenTelemetry is not installed.
    """

    def __init__(self, endpoint: str, share: float) -> None:
        try:
            from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
            from opentelemetry.sdk.resources import Resource
            from opentelemetry.sdk.trace import TracerProvider
            from opentelemetry.sdk.trace.export import BatchSpanProcessor
            from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
            from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
        except ImportError as error:
            raise SettingsError(
                "SEMBLANCE_TRACES_ENDPOINT needs OpenTelemetry: install the extra `otel` "
                "(docs/monitoring.md)"
            ) from error
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(share)),
            # Named here alone: what the environment says of this machine stays out.
            resource=Resource({"service.name": "semblance", "service.version": VERSION}),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(endpoint, timeout=_SEND_S))
        )
        self._tracer = self._provider.get_tracer("semblance", VERSION)
        self._propagator = TraceContextTextMapPropagator()

    def begun(self, scope: Scope) -> Span:
        """The span of a request, in its caller's trace if it names one."""
        from opentelemetry.context import Context
        from opentelemetry.trace import SpanKind

        wanted = (b"traceparent", b"tracestate")
        carrier = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in scope["headers"]
            if name in wanted
        }
        return self._tracer.start_span(
            method_of(scope),
            context=self._propagator.extract(carrier, Context()),
            kind=SpanKind.SERVER,
        )

    def stages(self, runs: Sequence[Run]) -> None:
        """Spans of stages that have run, below the one of the request at work."""
        offset_ns = time.time_ns() - time.perf_counter_ns()
        for name, begun, ended in runs:
            span = self._tracer.start_span(name, start_time=offset_ns + int(begun * 1e9))
            span.end(offset_ns + int(ended * 1e9))

    def close(self) -> None:
        """Sends what is left; gives up after some seconds."""
        self._provider.shutdown()


class Traced:
    """Makes a span of each request; stands outside of all else."""

    def __init__(self, app: ASGIApp, tracing: Tracing) -> None:
        self._app = app
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        from opentelemetry.trace import Status, StatusCode, use_span

        span = self._tracing.begun(scope)
        status: int | None = None

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            # An exception's text may quote what a caller sent.
            with use_span(span, record_exception=False, set_status_on_exception=False):
                await self._app(scope, receive, watched)
        finally:
            route, method = route_of(scope), method_of(scope)
            span.update_name(f"{method} {route}")
            span.set_attribute("http.request.method", method)
            span.set_attribute("http.route", route)
            if status is not None:
                span.set_attribute("http.response.status_code", status)
            if status is None or status >= _FAULT:
                span.set_status(Status(StatusCode.ERROR))
            span.end()


def tracing_of(settings: Settings) -> Tracing | None:
    """None unless the settings ask for traces. Raises SettingsError if they cannot be made."""
    if settings.traces_endpoint is None:
        return None
    return Tracing(settings.traces_endpoint, settings.traces_share)
