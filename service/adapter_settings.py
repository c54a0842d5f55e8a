"""Settings of the adapters, which answer in the shapes of other systems."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings


class AdapterSettings(BaseSettings):
    """Part of `service.settings.Settings`."""

    compreface: bool = Field(
        False,
        description="Whether clients of CompreFace are answered as by it, below `/api/v1/` "
        "(docs/migrate.md).",
    )
    deepface: bool = Field(
        False,
        description="Whether clients of deepface's REST API are answered as by it, below "
        "`/deepface/` (docs/migrate.md).",
    )
