"""People made up as directions, so that every false match rate is known beforehand."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from model.contract import Manifest, Precision
from model.templates import ARCFACE_112
from model.types import Array, Image
from training.evaluation.comparisons import Comparisons
from training.evaluation.verdict_attempts import Gallery
from training.pairs import all_pairs
from training.pictures import Embedded
from training.uncalibrated import uncalibrated

AXES = 13
NOISE = 0.9
SLOPE, BIAS = 8.0, -4.0


class CosineRuntime:
    """A model whose score is sigmoid(8 cosine - 4); it embeds nothing."""

    name = "cosine"
    precision: Precision = "float32"

    def __init__(self, manifest: Manifest | None = None) -> None:
        self.manifest = manifest or made_up_manifest()

    def embed(self, chips: Image) -> Array:
        raise NotImplementedError

    def score(self, probe: Array, references: Array) -> Array:
        return score_of(references @ probe)


def made_up_manifest() -> Manifest:
    """Of a model that is none of the default ones."""
    return Manifest(
        manifest_version=1,
        name="cosine",
        version="1",
        fingerprint="0" * 16,
        input_size=(112, 112),
        alignment_template=tuple((float(x), float(y)) for x, y in ARCFACE_112),
        embedding_size=AXES,
        saved_model="saved_model",
        detector="detector.pb",
        detection_threshold=0.5,
        verification_threshold=0.5,
        files={},
        weights=(),
        calibration=uncalibrated(),
    )


def score_of(cosines: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-(SLOPE * cosines + BIAS))), dtype=np.float32)


def people(images: list[int], seed: int) -> Embedded:
    """Identities in directions drawn evenly over the sphere, their pictures around them."""
    generator = np.random.default_rng(seed)
    owner = np.repeat(np.arange(len(images)), images)
    rows = pictures_of(generator.normal(size=(len(images), AXES))[owner], generator)
    names = tuple(f"{one:04d}/{number}" for number, one in enumerate(owner))
    return Embedded(names, np.array([name[:4] for name in names]), rows, ())


def pictures_of(centres: NDArray[np.float64], generator: np.random.Generator) -> Array:
    """A unit embedding around each centre: by symmetry each is even over the sphere."""
    unit = centres / np.linalg.norm(centres, axis=1, keepdims=True)
    rows = unit + NOISE * generator.normal(size=unit.shape) / np.sqrt(AXES)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def compared(embedded: Embedded) -> Comparisons:
    return all_pairs(embedded, CosineRuntime(), quiet=True)


def gallery_of(images: list[int], seed: int, verification: float = 0.5) -> Gallery:
    embedded = people(images, seed)
    return Gallery(embedded, compared(embedded), CosineRuntime(), verification)


def true_pair_rate(threshold: float) -> float:
    """The false match rate of single pairs: (1 + cosine) / 2 is Beta(6, 6) by symmetry.

    An incomplete beta function of whole numbers is a sum over a binomial distribution.
    """
    half = (AXES - 1) // 2
    place = (1 + (math.log(threshold / (1 - threshold)) - BIAS) / SLOPE) / 2
    trials = 2 * half - 1
    return sum(
        math.comb(trials, hits) * place**hits * (1 - place) ** (trials - hits)
        for hits in range(half)
    )


def strangers(references: int, count: int, seed: int) -> tuple[Array, Array]:
    """Probes and the references of other people, each pair of people met only once.

    Returns:
        Shapes (count, D) and (count, references, D).
    """
    generator = np.random.default_rng(seed)
    probes = pictures_of(generator.normal(size=(count, AXES)), generator)
    centres = np.repeat(generator.normal(size=(count, AXES)), references, axis=0)
    return probes, pictures_of(centres, generator).reshape(count, references, AXES)
