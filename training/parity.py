"""Whether an artifact on disk gives the same answers on both runtimes.

A SavedModel that was written may still be read differently: an operation that
one runtime rounds, orders or pads in its own way. So it is read back, and real
chips go through both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.artifact import Artifact, ArtifactError
from model.runtimes.base import Runtime
from model.types import Array, Image
from training.runtimes import load_runtime

RUNTIMES = ("openvino", "tensorflow")
TOLERANCE = 1e-3
_BATCH = 32


@dataclass(frozen=True)
class Parity:
    """The largest differences between the runtimes.

    Attributes:
        chips: How many were compared; all pairs of them were scored.
        embedding: Largest |a - b| / |b| of a chip's two embeddings (Euclidean).
        score: Largest difference of a pair's two scores.
    """

    chips: int
    embedding: float
    score: float

    @property
    def agrees(self) -> bool:
        """Whether both stay within `TOLERANCE`; not if one is no number."""
        return self.embedding <= TOLERANCE and self.score <= TOLERANCE

    def __str__(self) -> str:
        return (
            f"OpenVINO and TensorFlow on {self.chips} chips: embeddings differ by at most "
            f"{self.embedding:.1e} (relative), scores by {self.score:.1e}"
        )


def check_parity(artifact: Artifact, chips: Image) -> Parity:
    """Loads the artifact on both runtimes and compares what they answer.

    Each runtime scores its own embeddings, so that a pair's difference is the
    one a user would see on changing the runtime.

    Args:
        chips: Real faces, RGB. Shape (N, H, W, 3), uint8, N >= 2.

    Raises:
        ArtifactError: If they differ by more than `TOLERANCE`, if a number is not
            finite, or if the embeddings of all chips are the same.
        ValueError: If there are fewer than two chips.
    """
    if len(chips) < 2:
        raise ValueError(f"expected two chips or more to compare runtimes on, found {len(chips)}")
    answers = [_answers(load_runtime(artifact, name), chips) for name in RUNTIMES]
    (embeddings, scores), (wanted, wanted_scores) = answers
    _check_sound(wanted)
    gap = np.linalg.norm(embeddings - wanted, axis=1) / np.linalg.norm(wanted, axis=1)
    parity = Parity(len(chips), float(gap.max()), float(np.abs(scores - wanted_scores).max()))
    if not parity.agrees:
        raise ArtifactError(
            f"expected the same answers of both runtimes within {TOLERANCE:g}, found: {parity}"
        )
    return parity


def _check_sound(embeddings: Array) -> None:
    if not np.isfinite(embeddings).all():
        raise ArtifactError("expected embeddings of finite numbers, found infinite ones or NaN")
    if not np.linalg.norm(embeddings, axis=1).all():
        raise ArtifactError("expected embeddings that are not zero, found one that is")
    spread = np.abs(embeddings - embeddings[0]).max()
    if spread <= 1e-6 * np.abs(embeddings).max():
        raise ArtifactError(
            f"expected different embeddings of different faces, found {len(embeddings)} equal ones"
        )


def _answers(runtime: Runtime, chips: Image) -> tuple[Array, Array]:
    """Embeddings (N, D) and the scores of all pairs (N, N)."""
    parts = [runtime.embed(chips[at : at + _BATCH]) for at in range(0, len(chips), _BATCH)]
    embeddings = np.concatenate(parts)
    scores = np.stack([runtime.score(probe, embeddings) for probe in embeddings])
    return embeddings, scores
