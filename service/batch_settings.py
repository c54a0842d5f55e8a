"""Settings of batches; `service.settings` has all others."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings


class BatchSettings(BaseSettings):
    """What an operator can choose about requests of many items."""

    max_batches: int = Field(4, ge=0, description="Batches at once; beyond it 503. 0: none.")
    max_batch_items: int = Field(
        100_000, ge=1, description="Lines of one batch; what comes after is not looked at."
    )
