"""Score very many pairs by a head that is known, instead of asking a runtime for each.

A runtime projects the references onto the frame anew for each probe. For all pairs
of thousands of pictures that is most of the work; here each picture is projected
once. The scores are checked against the runtime's own before any is used.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.frame import tight_frame
from model.runtimes.base import Runtime
from model.types import Array
from training.head import read_head

_FITTED = Path(__file__).parent / "fitted"
_OF_BUILD = frozenset({"fused", "sface"})
_WORKERS = 2
# Rows of 2,048 directions that stay in a core's own cache.
_BLOCK = 128
_CHECKED_ROWS = 8
_CHECKED_REFERENCES = 1000
_TOLERANCE = 1e-4


@dataclass(frozen=True)
class L1Head:
    """score = sigmoid(bias - weight sum_k |f_k . (probe - reference)|).

    Attributes:
        frame: Directions f_k as columns. Shape (D, K).
        weight: Of each direction.
    """

    frame: Array
    weight: float
    bias: float

    def scores(self, probe: Array, references: Array) -> Array:
        """Projected probe (K,), projected references (M, K) -> scores (M,), float32."""
        distance = np.empty(len(references), dtype=np.float64)
        for at in range(0, len(references), _BLOCK):
            block = references[at : at + _BLOCK] - probe
            distance[at : at + _BLOCK] = np.abs(block, out=block).sum(axis=1)
        return np.asarray(1 / (1 + np.exp(self.weight * distance - self.bias)), dtype=np.float32)


def known_head(runtime: Runtime, embeddings: Array) -> L1Head | None:
    """The head of the default models, if the runtime's scores are indeed by it.

    Args:
        embeddings: Some to compare the scores on. Shape (N, D).
    """
    name = runtime.manifest.name
    path = _FITTED / f"{name}_head.json"
    if name not in _OF_BUILD or not path.is_file() or not len(embeddings):
        return None
    fitted = read_head(path)
    head = L1Head(tight_frame(embeddings.shape[1]), fitted.weight, fitted.bias)
    rows = np.linspace(0, len(embeddings) - 1, min(len(embeddings), _CHECKED_ROWS), dtype=int)
    some = embeddings[:_CHECKED_REFERENCES]
    twins = some @ head.frame
    for row in rows:
        found = head.scores(embeddings[row] @ head.frame, twins)
        if np.abs(found - runtime.score(embeddings[row], some)).max() > _TOLERANCE:
            return None
    return head


def score_all(head: L1Head, embeddings: Array, scores: Array) -> None:
    """Fills in the scores of all pairs, in the order of `training.pairs.unscored_pairs`."""
    twins = embeddings @ head.frame
    ends = np.cumsum(np.arange(len(twins) - 1, 0, -1))

    def one(row: int) -> None:
        found = head.scores(twins[row], twins[row + 1 :])
        scores[ends[row] - len(found) : ends[row]] = found

    with ThreadPoolExecutor(_WORKERS) as pool:
        list(pool.map(one, range(len(twins) - 1)))
