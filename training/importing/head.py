"""The siamese head of an imported network: one weight and one bias.

    score = sigmoid(bias - weight * sum_k |f_k . (probe - reference)|)

As `training.head`, but for any number of axes and for few people: with Platt's
smoothed targets the answer stays finite also where every pair is told apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.frame import tight_frame
from model.types import AnyArray, Array
from training.data.errors import DataError
from training.evaluation.platt import fit_platt
from training.pictures import Embedded

LARGEST_FRAMED = 1024
"""Axes beyond which the frame would be larger than most networks."""

_IMPOSTORS_PER_GENUINE = 4
_MOST_GENUINE = 40_000
_MOST_PICTURES = 100  # of one person, lest one with thousands decide alone
_BLOCK = 1024
_SEED = 1
_PRIOR = 0.5  # a score is a probability when either is as likely before looking


@dataclass(frozen=True)
class FittedHead:
    """The fitted numbers.

    Attributes:
        weight: Of every direction, > 0.
        genuine_pairs, impostor_pairs: That it was fitted on.
    """

    weight: float
    bias: float
    genuine_pairs: int
    impostor_pairs: int


def frame_of(embedding_size: int) -> Array | None:
    """Directions of the L1 distance: the tight frame, or None for the axes themselves."""
    return tight_frame(embedding_size) if embedding_size <= LARGEST_FRAMED else None


def fit_head(embedded: Embedded, frame: Array | None) -> FittedHead:
    """Fits weight and bias by logistic regression, both classes weighted equally.

    Raises:
        DataError: If there are no pairs of one kind, or people are not told apart.
    """
    left, right, same = _pairs(embedded.identities)
    distance = _distances(embedded.embeddings, frame, left, right)
    centre, spread = float(distance.mean()), float(distance.std())
    if not spread > 1e-6 * centre:
        raise DataError("expected embeddings that differ, found all of them equally far apart")
    # Centred and scaled, so that the fit starts near its end whatever the units.
    try:
        scaling = fit_platt(-(distance - centre) / spread, same, _PRIOR)
    except DataError as error:
        raise DataError(
            "expected pictures of one person to be nearer than those of two, found them not: is "
            "the preprocessing the one that the network was trained with?"
        ) from error
    weight = scaling.slope / spread
    bias = scaling.intercept + weight * centre
    return FittedHead(weight, bias, int(same.sum()), int((~same).sum()))


def _pairs(identities: AnyArray) -> tuple[AnyArray, AnyArray, NDArray[np.bool_]]:
    """Genuine pairs, and about four times as many impostor pairs, at random."""
    generator = np.random.default_rng(_SEED)
    genuine = _genuine_pairs(identities, generator)
    drawn = generator.integers(0, len(identities), (2 * _IMPOSTORS_PER_GENUINE * len(genuine), 2))
    drawn = np.unique(drawn[drawn[:, 0] < drawn[:, 1]], axis=0)
    impostor = drawn[identities[drawn[:, 0]] != identities[drawn[:, 1]]]
    impostor = generator.permutation(impostor)[: _IMPOSTORS_PER_GENUINE * len(genuine)]
    if not len(genuine) or not len(impostor):
        raise DataError(
            "expected pairs of one person and of two, found "
            f"{len(genuine)} and {len(impostor)}; two pictures of each person are needed"
        )
    left, right = np.concatenate([genuine, impostor]).T
    return left, right, np.arange(len(left)) < len(genuine)


def _genuine_pairs(identities: AnyArray, generator: np.random.Generator) -> AnyArray:
    """Rows of two pictures of one person. Shape (G, 2)."""
    blocks = [np.zeros((0, 2), dtype=np.int64)]
    for name in np.unique(identities):
        rows = generator.permutation(np.flatnonzero(identities == name))[:_MOST_PICTURES]
        blocks.append(rows[np.stack(np.triu_indices(len(rows), 1), axis=1)])
    return generator.permutation(np.concatenate(blocks))[:_MOST_GENUINE]


def _distances(
    embeddings: Array, frame: Array | None, left: AnyArray, right: AnyArray
) -> NDArray[np.float64]:
    twins = embeddings if frame is None else embeddings @ frame
    blocks = [
        np.abs(twins[left[at : at + _BLOCK]] - twins[right[at : at + _BLOCK]]).sum(axis=1)
        for at in range(0, len(left), _BLOCK)
    ]
    return np.concatenate(blocks).astype(np.float64)
