"""The JSON of passive liveness."""

from __future__ import annotations

from pydantic import Field

from service.api.schema import Schema, Share


class PresentationOut(Schema):
    """Whether a face looks like a print or a screen: a flag, which changes no verdict."""

    attack: bool = Field(description="score > the threshold of what is installed.")
    score: Share = Field(description="Higher is more like an attack.")
    measured_on: str = Field(description="What its error rates were measured on.")
