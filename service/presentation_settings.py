"""The setting of passive liveness."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings


class PresentationSettings(BaseSettings):
    """Part of `service.settings.Settings`."""

    passive_liveness: Path | None = Field(
        None,
        description="Folder of what flags prints and screens, as `python -m training presentation` "
        "makes it; without it nothing is flagged.",
    )
