"""The JSON about liveness."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from service.api.schema import Schema


class LivenessOut(Schema):
    """That the face is the one of a person who was shown to be there."""

    live: bool


class SessionOut(Schema):
    """A liveness session, to be begun at `WS /v1/liveness/stream`."""

    session: str = Field(description="Opaque; for one use, by the same key.")
    identity: str
    challenges: int = Field(description="Movements that will be asked for.")
    most_seconds: float = Field(description="That it takes at the longest.")
    expires_at: datetime = Field(description="When it can no longer be begun.")
