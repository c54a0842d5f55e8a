"""Heads as artifacts have them: by the length of the difference, and by its axes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from model.contract import Manifest
from model.types import Array, Image


@dataclass(frozen=True)
class Distance:
    """sigmoid(6 - 8 |probe - reference|)."""

    manifest: Manifest

    def embed(self, chips: Image) -> Array:
        raise AssertionError("nothing is embedded here")

    def score(self, probe: Array, references: Array) -> Array:
        distances = np.linalg.norm(references - probe, axis=1)
        return np.asarray(1 / (1 + np.exp(8 * distances - 6)), np.float32)


@dataclass(frozen=True)
class Axes:
    """sigmoid(6 - 2 sum_d |probe[d] - reference[d]|): the L1 distance on the axes themselves."""

    manifest: Manifest

    def embed(self, chips: Image) -> Array:
        raise AssertionError("nothing is embedded here")

    def score(self, probe: Array, references: Array) -> Array:
        distances = np.abs(references - probe).sum(axis=1)
        return np.asarray(1 / (1 + np.exp(2 * distances - 6)), np.float32)
