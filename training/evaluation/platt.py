"""Platt scaling: slope and intercept that make a score's logit that of a probability.

    probability = sigmoid(slope * logit + intercept)

The order of scores, and with it every error rate, stays as it is.

Source:
    Platt, "Probabilistic Outputs for Support Vector Machines" (1999); Newton's
    method with halving after Lin, Lin and Weng (2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.types import AnyArray
from training.data.errors import DataError
from training.evaluation.reliability import Reliability, prior_weights, reliability_of

_STEPS = 100
_STILL = 1e-10

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Scaling:
    """probability = sigmoid(slope * logit + intercept); slope > 0."""

    slope: float
    intercept: float

    def probability(self, logits: AnyArray) -> Float:
        """Of each logit. Same shape."""
        return sigmoid(self.slope * logits.astype(np.float64) + self.intercept)


@dataclass(frozen=True)
class HeldOut:
    """Reliability on identities that the scaling was not fitted on.

    Attributes:
        folds: Each was scaled by what was fitted on the others.
        genuine_pairs, impostor_pairs: Measured ones; their people lie in one fold.
    """

    folds: int
    genuine_pairs: int
    impostor_pairs: int
    before: Reliability
    after: Reliability


def fit_platt(logits: AnyArray, same: NDArray[np.bool_], prior: float) -> Scaling:
    """The scaling of greatest likelihood, with genuine pairs weighted to the prior.

    The targets are not quite 1 and 0, by Platt's rule, so that separable data have
    an answer too.

    Args:
        logits: Before the sigmoid. Shape (P,).
        same: Both kinds must be there. Shape (P,).

    Raises:
        DataError: If genuine pairs do not score higher than impostor pairs.
    """
    genuine = int(same.sum())
    impostor = len(same) - genuine
    target = np.where(same, (genuine + 1) / (genuine + 2), 1 / (impostor + 2))
    weights = prior_weights(same, prior)
    design = np.stack([logits.astype(np.float64), np.ones(len(logits))], axis=1)
    answer = np.array([1.0, 0.0])
    loss = _loss(design @ answer, target, weights)
    for _ in range(_STEPS):
        probability = sigmoid(design @ answer)
        gradient = design.T @ (weights * (probability - target))
        curvature = weights * probability * (1 - probability)
        hessian = design.T @ (design * curvature[:, None]) + 1e-12 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        size = 1.0
        while size > _STILL:
            tried = answer - size * step
            new = _loss(design @ tried, target, weights)
            if new <= loss:
                break
            size /= 2
        else:
            break
        answer, loss = tried, new
        if np.abs(size * step).max() < _STILL:
            break
    if not answer[0] > 0:
        raise DataError(
            "expected genuine pairs to score higher than impostor pairs, found that they do not: "
            "no probability can be made of these scores"
        )
    return Scaling(float(answer[0]), float(answer[1]))


def cross_fitted(
    logits: AnyArray, same: NDArray[np.bool_], homes: AnyArray, prior: float
) -> HeldOut:
    """Reliability before and after, each fold scaled by what the other folds' people say.

    Args:
        homes: Folds of the two people of each pair. Shape (P, 2).

    Raises:
        DataError: If no fold has both kinds of pairs within it and outside of it.
    """
    scaled = np.full(len(logits), np.nan)
    used = []
    for fold in np.unique(homes[homes >= 0]):
        inside = (homes == fold).all(axis=1)
        outside = (homes != fold).all(axis=1) & (homes >= 0).all(axis=1)
        if all(same[part].any() and not same[part].all() for part in (inside, outside)):
            scaled[inside] = fit_platt(logits[outside], same[outside], prior).probability(
                logits[inside]
            )
            used.append(fold)
    known = np.isfinite(scaled)
    if not used:
        raise DataError(
            "expected genuine and impostor pairs of at least 4 identities, to fit on some and "
            "measure on others, found too few"
        )
    truth = same[known]
    return HeldOut(
        folds=len(used),
        genuine_pairs=int(truth.sum()),
        impostor_pairs=int((~truth).sum()),
        before=reliability_of(sigmoid(logits[known].astype(np.float64)), truth, prior),
        after=reliability_of(scaled[known], truth, prior),
    )


def sigmoid(logits: Float) -> Float:
    """1 / (1 + exp(-logit)), without overflow."""
    small = np.exp(-np.abs(logits))
    probability: Float = np.where(logits >= 0, 1, small) / (1 + small)
    return probability


def _loss(logits: Float, target: Float, weights: Float) -> float:
    """Weighted cross entropy; target in [0, 1]."""
    return float((weights * (np.logaddexp(0, logits) - target * logits)).sum())
