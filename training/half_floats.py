"""Arrays as text for the JSON files of training/fitted: float16, little-endian, base64."""

from __future__ import annotations

import base64

import numpy as np

from model.types import Array


def as_text(numbers: Array) -> str:
    return base64.b64encode(numbers.astype("<f2").tobytes()).decode("ascii")


def as_numbers(text: str) -> Array:
    """Shape (N,), float32."""
    return np.frombuffer(base64.b64decode(text), dtype="<f2").astype(np.float32)
