"""Whether a model's score orders references by their distance alone.

The default heads are sigmoid(bias - weight |probe - reference|), with the plain length,
and heads on many directions come near it. A head on the embedding's own axes, as one
that was learned by itself may have, orders otherwise. The manifest does not say which it
is, so the head is asked: of references at one distance, in many directions, the scores
are one number or they are not.
"""

from __future__ import annotations

from typing import Final, Literal

import numpy as np

from model.types import Array
from service.core.ports import FaceModel

Metric = Literal["euclidean", "other"]
"""What the score falls with: the length of the difference, or something of the model's own."""

_DIRECTIONS: Final = 16
_MOST_APART: Final = 0.5
"""Of log-odds at one distance: some twentieth of their fall from 1 to 0."""
_EDGE: Final = 1e-3


def metric_of(model: FaceModel) -> Metric:
    """What the model's score falls with; from some hundred scores, the same each time."""
    size = model.manifest.embedding_size
    generator = np.random.default_rng(0)
    drawn = generator.normal(size=(_DIRECTIONS, size))
    # Along the axes, too: there the L1 distance is furthest from the length.
    directions = np.concatenate([np.eye(size)[:_DIRECTIONS], drawn])
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    probe = np.zeros(size, np.float32)
    seen = 0
    for length in np.linspace(0.1, 2.0, 20):
        scores = model.score(probe, np.asarray(directions * length, np.float32))
        if scores.min() > _EDGE and scores.max() < 1 - _EDGE:
            seen += 1
            if float(np.ptp(_log_odds(scores))) > _MOST_APART:
                return "other"
    return "euclidean" if seen else "other"


def _log_odds(scores: Array) -> Array:
    inside = scores.astype(np.float64)
    return np.asarray(np.log(inside / (1 - inside)), np.float64)
