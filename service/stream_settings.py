"""Settings of streams of frames and of liveness; `service.settings` has all others."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings


class StreamSettings(BaseSettings):
    """What an operator can choose about a camera's frames."""

    max_streams: int = Field(
        16,
        ge=0,
        description="Streams of frames at once, verifications and liveness sessions; 0: none.",
    )
    stream_frames: int = Field(
        300, ge=1, description="Frames of a stream that are looked at; then it is not verified."
    )
    stream_s: float = Field(
        20.0, gt=0, allow_inf_nan=False, description="Seconds of a stream; likewise."
    )
    require_liveness: bool = Field(
        False,
        description="Whether every verification must show by a token that somebody is there; "
        "a request may demand it by itself.",
    )
    liveness_valid_s: float = Field(
        60.0,
        gt=0,
        le=3600,
        description="Seconds in which a liveness session must be begun, and a token of one that "
        "was passed be used.",
    )
