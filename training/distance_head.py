"""Score very many pairs by a head that is known, instead of asking a runtime for each.

For all pairs of thousands of pictures the calls would be most of the work. The scores
are checked against the runtime's own before any is used.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.runtimes.base import Runtime
from model.types import Array
from training.head import read_head

_FITTED = Path(__file__).parent / "fitted"
_OF_BUILD = frozenset({"fused", "sface"})
_WORKERS = 2
# Rows of 256 numbers that stay in a core's own cache.
_BLOCK = 512
_CHECKED_ROWS = 8
_CHECKED_REFERENCES = 1000
_TOLERANCE = 1e-4


@dataclass(frozen=True)
class DistanceHead:
    """score = sigmoid(bias - weight |probe - reference|)."""

    weight: float
    bias: float

    def scores(self, probe: Array, references: Array) -> Array:
        """Probe (D,), references (M, D) -> scores (M,), float32."""
        squared = np.empty(len(references), dtype=np.float64)
        for at in range(0, len(references), _BLOCK):
            apart = references[at : at + _BLOCK] - probe
            squared[at : at + _BLOCK] = np.einsum("md,md->m", apart, apart)
        logits = self.bias - self.weight * np.sqrt(squared)
        return np.asarray(1 / (1 + np.exp(-logits)), dtype=np.float32)


def known_head(runtime: Runtime, embeddings: Array) -> DistanceHead | None:
    """The head of the default models, if the runtime's scores are indeed by it.

    Args:
        embeddings: Some to compare the scores on. Shape (N, D).
    """
    name = runtime.manifest.name
    path = _FITTED / f"{name}_head.json"
    if name not in _OF_BUILD or not path.is_file() or not len(embeddings):
        return None
    fitted = read_head(path)
    head = DistanceHead(fitted.weight, fitted.bias)
    rows = np.linspace(0, len(embeddings) - 1, min(len(embeddings), _CHECKED_ROWS), dtype=int)
    some = embeddings[:_CHECKED_REFERENCES]
    for row in rows:
        found = head.scores(embeddings[row], some)
        if np.abs(found - runtime.score(embeddings[row], some)).max() > _TOLERANCE:
            return None
    return head


def score_all(head: DistanceHead, embeddings: Array, scores: Array) -> None:
    """Fills in the scores of all pairs, in the order of `training.pairs.unscored_pairs`."""
    ends = np.cumsum(np.arange(len(embeddings) - 1, 0, -1))

    def one(row: int) -> None:
        found = head.scores(embeddings[row], embeddings[row + 1 :])
        scores[ends[row] - len(found) : ends[row]] = found

    with ThreadPoolExecutor(_WORKERS) as pool:
        list(pool.map(one, range(len(embeddings) - 1)))
