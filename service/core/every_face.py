"""Every face of a picture, embedded; and one face compared with all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.faces import Face
from model.image import Picture
from model.sight import faces_of, first_view
from model.types import Array
from service.core.core import Core
from service.core.errors import NoFace, SeveralFaces
from service.core.perceive import Percept, percept_of
from service.core.results import FoundFace, Threshold
from service.core.stopwatch import Stopwatch
from service.core.thresholds import detection_threshold


@dataclass(frozen=True)
class EmbeddedFace:
    """Attributes: embedding: By the core's model. Shape (D,), float32, unit length."""

    found: FoundFace
    embedding: Array


@dataclass(frozen=True)
class Matches:
    """One face against every face of another picture.

    Attributes:
        scores: Of `faces`, in their order; in [0, 1].
    """

    source: EmbeddedFace
    faces: tuple[EmbeddedFace, ...]
    scores: tuple[float, ...]
    threshold: Threshold

    @property
    def verified(self) -> bool:
        """Whether any is the one."""
        return any(score > self.threshold.value for score in self.scores)


def every_face(
    core: Core,
    data: bytes,
    watch: Stopwatch,
    *,
    least_confidence: float = 0.0,
    most: int = 0,
    alone: bool = False,
) -> tuple[EmbeddedFace, ...]:
    """The faces of a picture, the largest first.

    Args:
        least_confidence: Faces of which the detector is less sure are passed over.
        most: Of the faces, the largest; 0: all.
        alone: Whether there may be only one.

    Raises:
        ImageError
        NoFace: If none is left.
        SeveralFaces: If `alone`, and there are more.
    """
    percepts = every_percept(core, data, watch, least_confidence, most=most, alone=alone)
    return embedded(core, percepts, watch)


def embedded(core: Core, percepts: Sequence[Percept], watch: Stopwatch) -> tuple[EmbeddedFace, ...]:
    """By the core's own model, in one call of it."""
    with watch.stage("embed"):
        embeddings = core.model.embed(np.stack([percept.chip for percept in percepts]))
    return tuple(
        EmbeddedFace(percept.found, embedding)
        for percept, embedding in zip(percepts, embeddings, strict=True)
    )


def compare_with_all(
    core: Core,
    source: bytes,
    target: bytes,
    watch: Stopwatch,
    *,
    least_confidence: float = 0.0,
    most: int = 0,
) -> Matches:
    """The one face of `source` against each of `target`. Raises as `every_face`."""
    (one,) = every_face(core, source, watch, least_confidence=least_confidence, alone=True)
    faces = every_face(core, target, watch, least_confidence=least_confidence, most=most)
    with watch.stage("score"):
        scores = core.model.score(one.embedding, np.stack([face.embedding for face in faces]))
    threshold = detection_threshold(core.model.manifest, core.policy, None, None)
    return Matches(one, faces, tuple(scores.tolist()), threshold)


def every_percept(
    core: Core,
    data: bytes,
    watch: Stopwatch,
    least_confidence: float,
    *,
    most: int = 0,
    alone: bool = False,
) -> list[Percept]:
    """The same, ready to be embedded by any model that is loaded."""
    manifest = core.model.manifest
    with watch.stage("decode"):
        picture = Picture(data, core.policy.limits)
        first_view(picture, core.detector, manifest)
    with watch.stage("detect"):
        found = faces_of(picture, core.detector, manifest)
    faces: list[Face] = [face for face in found if face.confidence >= least_confidence]
    if not faces:
        raise NoFace("no face was found in the image")
    if alone and len(faces) > 1:
        raise SeveralFaces(f"{len(faces)} faces were found; send a picture of one person")
    return [percept_of(core, picture, face, faces, watch) for face in faces[: most or None]]
