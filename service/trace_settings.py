"""Settings of traces."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings


class TraceSettings(BaseSettings):
    """Part of `service.settings.Settings`."""

    traces_endpoint: Annotated[str, Field(pattern=r"^https?://[!-~]+$")] | None = Field(
        None,
        description="Collector that traces are sent to, OTLP over HTTP, such as "
        "`http://127.0.0.1:4318/v1/traces`; needs the extra `otel` installed.",
    )
    traces_share: float = Field(
        1.0,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="Share of requests that are traced, but for those whose caller's trace says.",
    )
