"""What a key must open to be given embeddings: they are biometric data."""

from __future__ import annotations

from typing import Final

from service.core.access import Scope

EMBEDDINGS: Final[Scope] = "embeddings"
