"""What every answer has in common."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Fusion = Literal["share", "max", "mean", "centroid"]
"""How several references make one verdict."""

FaceChoice = Literal["error", "largest", "center"]
"""Which face to take when a picture shows several."""

ConflictMode = Literal["off", "report", "strict"]


class Model(BaseModel):
    """An answer's JSON. Fields that a newer service adds are passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore", protected_namespaces=())
