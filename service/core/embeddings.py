"""Embed: the embedding of the face of a picture; nothing is stored or compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from model.contract import Manifest
from model.types import Array
from service.core.core import Core
from service.core.ordering import Metric
from service.core.perceive import chip_by, perceive
from service.core.results import FaceChoice, FoundFace
from service.core.stopwatch import Stopwatch


@dataclass(frozen=True)
class Embedded:
    """A face as one model sees it.

    Attributes:
        embedding: Shape (D,), float32.
        metric: By which embeddings of this model are compared.
    """

    embedding: Array
    metric: Metric
    manifest: Manifest


@dataclass(frozen=True)
class Embedding:
    """Attributes: by_model: Of each model that is loaded, the newest last."""

    by_model: tuple[Embedded, ...]
    found: FoundFace
    timings_ms: Mapping[str, float]


def embed(core: Core, image: bytes, choice: FaceChoice = "error") -> Embedding:
    """Raises ImageError, NoFace, SeveralFaces."""
    watch = Stopwatch()
    percept = perceive(core, image, choice, watch)
    by_model = []
    with watch.stage("embed"):
        for one in core.each():
            own = one.fingerprint == core.fingerprint
            chip = percept.chip if own else chip_by(one, percept)
            embedding = one.model.embed(chip[None])[0]
            metric = core.indexes.metric(one.model)
            by_model.append(Embedded(embedding, metric, one.model.manifest))
    return Embedding(tuple(by_model), percept.found, watch.read_ms())
