"""Real people, and synthetic ones like them in any number."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from model.artifact import read_artifact
from model.types import AnyArray, Array
from training.evaluation.left_out import without
from training.evaluation.sources import Choice, open_corpus
from training.pictures import Embedded

SEED = 0
ENROLLED = 3
"""References of a real person."""


def people_of(options: argparse.Namespace, model: Any) -> Embedded:
    """The real faces, embedded as the service does it, or as kept by an earlier run."""
    keep: Path | None = options.keep
    if keep is not None and keep.is_file():
        found = np.load(keep)
        people = Embedded(
            tuple(found["names"].tolist()), found["identities"], found["embeddings"], ()
        )
    else:
        artifact = read_artifact(options.artifact)
        people = open_corpus(Choice(data=options.data), artifact, model, quiet=False).embedded
        if keep is not None:
            np.savez(
                keep,
                embeddings=people.embeddings,
                names=np.array(people.names),
                identities=np.array(people.identities),
            )
    return without(people, options.leave_out)


class Distractors:
    """Draws embeddings like those of real people."""

    def __init__(self, embeddings: Array) -> None:
        centred = embeddings - embeddings.mean(axis=0)
        covariance = centred.T @ centred / len(embeddings)
        values, vectors = np.linalg.eigh(covariance.astype(np.float64))
        self._mean = embeddings.mean(axis=0)
        self._root = np.asarray(vectors * np.sqrt(np.maximum(values, 0)), np.float32)
        self._generator = np.random.default_rng(SEED)

    def drawn(self, count: int) -> Array:
        """Shape (count, D), of unit length."""
        normal = self._generator.standard_normal((count, self._root.shape[1]), np.float32)
        rows = self._mean + normal @ self._root.T
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def split(people: Embedded) -> tuple[AnyArray, AnyArray, AnyArray, AnyArray]:
    """Rows of references, of probes of the same people, of strangers; and everybody's number."""
    owner = np.unique(people.identities, return_inverse=True)[1]
    generator = np.random.default_rng(SEED)
    able = generator.permutation(np.flatnonzero(np.bincount(owner) > ENROLLED))
    enrolled = able[: len(able) // 2]
    kept = np.zeros(len(owner), dtype=bool)
    for person in enrolled:
        own = np.flatnonzero(owner == person)
        kept[generator.choice(own, ENROLLED, replace=False)] = True
    inside = np.isin(owner, enrolled)
    return (
        np.flatnonzero(kept),
        np.flatnonzero(inside & ~kept),
        np.flatnonzero(~inside & np.isin(owner, able)),
        owner,
    )
