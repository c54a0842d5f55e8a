"""Settings of results and sessions for other sites."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings


class SiteSettings(BaseSettings):
    """Part of `service.settings.Settings`."""

    issuer: str = Field(
        "semblance",
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="What signed results name as their issuer, before a slash and the collection; "
        "such as the service's address.",
    )
    signed_result_s: int = Field(
        60, ge=1, le=60, description="Seconds for which a signed result is good."
    )
    site_session_s: int = Field(
        300,
        ge=10,
        le=3600,
        description="Seconds within which a page of another site may begin a verification by the "
        "session that its server has asked for.",
    )
