"""Learn the projection of SFace's half: directions in which one person varies count less.

Pictures of one person differ by pose, light and age; the covariance of those
differences, W, is far from round. The map that makes it round,

    x -> (x - mean) L,    L L^T = W^-1,

gives the directions in which a person stays the same more weight. W is drawn
towards a multiple of the identity by `SHRINK`, since it rests on few people; by how
much was chosen by cross-validation over the identities left for fitting.

Source:
    Hatch, Kajarekar and Stolcke, "Within-Class Covariance Normalization for
    SVM-based Speaker Recognition" (2006). Shrinking after Ledoit and Wolf (2004).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.backbones import sface
from model.backbones.fused import Projection
from model.types import AnyArray, Array
from training.half_floats import as_numbers, as_text
from training.head import held_out_identities
from training.pictures import Embedded

SHRINK = 0.6


@dataclass(frozen=True)
class Fitted:
    """A projection and where it comes from."""

    projection: Projection
    provenance: dict[str, str | int | float]


def fit_projection(embeddings: Array, identities: AnyArray) -> Projection:
    """The projection of one tower's embeddings.

    Args:
        embeddings: Unit length. Shape (N, D).
        identities: Of each row. Shape (N,).

    Raises:
        ValueError: If fewer than two pictures of one identity are there.
    """
    names, owner, counts = np.unique(identities, return_inverse=True, return_counts=True)
    degrees = len(owner) - len(names)
    if degrees < 1:
        raise ValueError("expected two pictures of one identity to learn from, found none")
    means = np.zeros((len(names), embeddings.shape[1]))
    np.add.at(means, owner, embeddings)
    means /= counts[:, None]
    differences = embeddings - means[owner]
    within = differences.T @ differences / degrees
    size = len(within)
    round_one = np.trace(within) / size * np.eye(size)
    drawn = (1 - SHRINK) * within + SHRINK * round_one
    matrix = np.linalg.cholesky(np.linalg.inv(drawn))
    # What follows brings the length to one; a common factor says nothing.
    matrix /= np.sqrt(np.trace(matrix @ matrix.T) / size)
    middle = embeddings.mean(axis=0, dtype=np.float64)
    return Projection(matrix.astype(np.float32), (-middle @ matrix).astype(np.float32))


def fitted_on(embedded: Embedded, dataset: str) -> Fitted:
    """The projection from four fifths of the identities, the same as `training.head` fits on.

    Args:
        embedded: By the accurate tower without a projection.
        dataset: Its name, for the provenance.
    """
    held_out = held_out_identities(embedded.identities)
    chosen = ~np.isin(embedded.identities, held_out)
    half = embedded.embeddings[:, : sface.EMBEDDING_SIZE]
    unit = half / np.linalg.norm(half, axis=1, keepdims=True)
    return Fitted(
        fit_projection(unit[chosen], embedded.identities[chosen]),
        {
            "dataset": dataset,
            "pictures": int(chosen.sum()),
            "identities": len(np.unique(embedded.identities[chosen])),
            "identities_held_out": len(held_out),
            "shrink": SHRINK,
            "command": "python -m training fit-projection --data celeba300",
        },
    )


def write_projection(path: Path, fitted: Fitted) -> None:
    content = {
        "matrix": as_text(fitted.projection.matrix),
        "offset": as_text(fitted.projection.offset),
        "form": "float16, little-endian, rows first, base64",
        "provenance": fitted.provenance,
    }
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_projection(path: Path) -> Projection:
    """The projection stored in a JSON file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    offset = as_numbers(content["offset"])
    return Projection(as_numbers(content["matrix"]).reshape(-1, len(offset)), offset)
