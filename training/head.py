"""Fit the siamese head: one weight and one bias of the sigmoid.

    score = sigmoid(bias - weight * |probe - reference|)

The L1 distance along every direction (model.siamese). Fitted by logistic
regression on pairs of CelebA identities, both classes weighted equally, so that
a score is the probability of "same person" when either is as likely before
looking. One weight serves all directions: a weight for each of a frame was tried
and won nothing on held-out identities (docs/decisions/0002-l1-head.md).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.types import AnyArray
from training.metrics import best_threshold
from training.pictures import Embedded

_IMPOSTORS_PER_GENUINE = 4
_DEV_SHARE = 0.2
_SEED = 1
_BLOCK = 4096


@dataclass(frozen=True)
class Head:
    """The fitted numbers, and where they come from.

    Attributes:
        weight: Shared by all directions, > 0.
        provenance: Data, split and result, in words and figures.
    """

    weight: float
    bias: float
    provenance: dict[str, str | int | float]


def read_head(path: Path) -> Head:
    """The head stored in a JSON file."""
    return Head(**json.loads(path.read_text(encoding="utf-8")))


def write_head(path: Path, head: Head) -> None:
    path.write_text(json.dumps(asdict(head), indent=2) + "\n", encoding="utf-8")


def fit_head(embedded: Embedded, dataset: str, profile: str = "accurate") -> Head:
    """Fits on four fifths of the identities, and reports on the others.

    Args:
        embedded: Pictures of many identities.
        dataset, profile: Names, for the provenance.

    Raises:
        ValueError: If there are fewer than ten identities.
    """
    identities = np.unique(embedded.identities)
    if len(identities) < 10:
        raise ValueError(f"ten identities are needed to fit and check, found {len(identities)}")
    generator = np.random.default_rng(_SEED)
    held_out = held_out_identities(embedded.identities, generator)
    is_dev = np.isin(embedded.identities, held_out)
    distance, same = _pairs(embedded, ~is_dev, generator)
    weight, bias = logistic(distance, same)
    dev_distance, dev_same = _pairs(embedded, is_dev, generator)
    dev_score = bias - weight * dev_distance
    threshold = best_threshold(dev_score.astype(np.float32), dev_same)
    return Head(
        weight=weight,
        bias=bias,
        provenance={
            "dataset": dataset,
            "split": "identities at random, seed 1; none on both sides",
            "pictures": len(embedded.names),
            "pictures_without_a_face": len(embedded.missed),
            "fit_identities": len(identities) - len(held_out),
            "fit_genuine_pairs": int(same.sum()),
            "fit_impostor_pairs": int((~same).sum()),
            "dev_identities": len(held_out),
            "dev_log_loss": round(_log_loss(dev_score, dev_same), 4),
            "dev_accuracy": round(float(np.mean((dev_score > threshold) == dev_same)), 4),
            "command": "python -m training fit-head --data celeba300 --profile " + profile,
        },
    )


def held_out_identities(
    identities: AnyArray, generator: np.random.Generator | None = None
) -> AnyArray:
    """The fifth of the identities that nothing is fitted on; the same for the same names.

    Args:
        identities: A name for each picture.
        generator: A fresh one of the usual seed if None.
    """
    known = np.unique(identities)
    drawn: AnyArray = (generator or np.random.default_rng(_SEED)).permutation(known)
    return drawn[: int(len(known) * _DEV_SHARE)]


def _pairs(
    embedded: Embedded, chosen: AnyArray, generator: np.random.Generator
) -> tuple[NDArray[np.float64], AnyArray]:
    """Distances: of all genuine pairs, and of a sample of impostors."""
    rows = np.flatnonzero(chosen)
    first, second = np.triu_indices(len(rows), 1)
    same = embedded.identities[rows[first]] == embedded.identities[rows[second]]
    genuine = np.flatnonzero(same)
    impostor = generator.choice(
        np.flatnonzero(~same), _IMPOSTORS_PER_GENUINE * len(genuine), replace=False
    )
    taken = np.concatenate([genuine, impostor])
    left, right = rows[first[taken]], rows[second[taken]]
    embeddings = embedded.embeddings
    distance = np.concatenate(
        [
            np.linalg.norm(
                embeddings[left[at : at + _BLOCK]] - embeddings[right[at : at + _BLOCK]], axis=1
            )
            for at in range(0, len(taken), _BLOCK)
        ]
    )
    return distance.astype(np.float64), same[taken]


def logistic(distance: NDArray[np.float64], same: AnyArray) -> tuple[float, float]:
    """Weight and bias with the greatest likelihood, by Newton's method."""
    design = np.stack([-distance, np.ones_like(distance)], axis=1)
    importance = _balanced(same)
    # Starting at zero, Newton's steps on a logistic loss of two numbers arrive.
    answer = np.zeros(2)
    for _ in range(50):
        probability = 1 / (1 + np.exp(-design @ answer))
        gradient = design.T @ (importance * (probability - same))
        slope = importance * probability * (1 - probability)
        step = np.linalg.solve(design.T @ (design * slope[:, None]), gradient)
        answer = answer - step
        if np.abs(step).max() < 1e-10:
            break
    return float(answer[0]), float(answer[1])


def _balanced(same: AnyArray) -> NDArray[np.float64]:
    weights = np.where(same, 0.5 / same.sum(), 0.5 / (~same).sum())
    return np.asarray(weights, dtype=np.float64)


def _log_loss(logit: NDArray[np.float64], same: AnyArray) -> float:
    loss = np.logaddexp(0, np.where(same, -logit, logit))
    return float((_balanced(same) * loss).sum())
