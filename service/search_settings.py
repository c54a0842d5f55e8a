"""Settings of searches among many identities; `service.settings` has all others."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings


class SearchSettings(BaseSettings):
    """What an operator can choose about identification."""

    max_fpir: float = Field(
        0.01,
        gt=0,
        le=1,
        description="False positive identification rate that an identification keeps to, unless "
        "its request says another; with more references than the model's table reaches, the "
        "lowest there is.",
    )
    search_bytes: int = Field(
        1024 * 1024 * 1024,
        ge=0,
        description="Memory for the embeddings that identifications, and enrolments that look for "
        "conflicts, search through; a larger gallery is 507, or not looked through.",
    )
    search_exact: int = Field(
        1_000_000,
        ge=0,
        description="References of a collection up to which an identification compares all; with "
        "more it looks through a shortened form of each, and may miss one.",
    )
