"""One face among many, and its embedding."""

from __future__ import annotations

from typing import Literal

from semblance_client.models.base import Model
from semblance_client.models.enrolment import ModelRef
from semblance_client.models.faces import Face


class Bar(Model):
    """The threshold of an identification."""

    value: float
    source: Literal["request", "fpir", "default"]


class Candidate(Model):
    """An identity that is near.

    Attributes:
        rank: From 1.
        reference_id: Of its reference that scores highest.
        score: That reference's; None where the key may not see scores.
    """

    rank: int
    identity: str
    reference_id: str
    score: float | None
    matched: bool


class Gallery(Model):
    """What was searched; if approximately, not every reference was compared."""

    identities: int
    references: int
    search: Literal["exact", "approximate"]


class Identification(Model):
    """Who of all that are enrolled is it?

    Attributes:
        identity: Of rank 1 if it matches; None if nobody does.
        fpir: False positive identification rate at this threshold among so many
            references, as an upper bound; None where it is looser than the whole table.
    """

    identified: bool
    identity: str | None
    candidates: list[Candidate]
    threshold: Bar
    fpir: float | None
    gallery: Gallery
    face: Face
    model: ModelRef
    timings_ms: dict[str, float]


class Embedding(Model):
    """By one model. Those of two fingerprints must not be compared with each other."""

    embedding: list[float]
    dimension: int
    metric: Literal["euclidean", "other"]
    model: ModelRef


class Embeddings(Model):
    """Of one face, by each model that is loaded: two while the model is changed, else one."""

    embeddings: list[Embedding]
    face: Face
    timings_ms: dict[str, float]
