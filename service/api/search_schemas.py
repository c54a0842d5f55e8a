"""The JSON of identifications and embeddings."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from service.api.schema import Schema, Share
from service.api.schemas import FaceOut, ModelRef


class BarOut(Schema):
    value: float
    source: Literal["request", "fpir", "default"] = Field(
        description="request: the caller's number; fpir: looked up for the caller's max_fpir; "
        "default: for the operator's, or the strictest that was measured."
    )


class CandidateOut(Schema):
    rank: int = Field(description="From 1.")
    identity: str
    reference_id: str = Field(description="Of its reference that scores highest.")
    score: Share | None = Field(
        description="That reference's; null where the key may not see scores."
    )
    matched: bool = Field(description="score > threshold.")


class GalleryOut(Schema):
    identities: int
    references: int = Field(description="That were searched.")
    search: Literal["exact", "approximate"] = Field(
        description="approximate: not every reference was compared."
    )


class IdentifyOut(Schema):
    identified: bool = Field(description="Whether the candidate of rank 1 matches.")
    identity: str | None = Field(description="Of rank 1 if it matches, or null.")
    candidates: list[CandidateOut] = Field(
        description="The highest score first; where the key may not see scores, those alone that "
        "match."
    )
    threshold: BarOut = Field(description="Of the score.")
    fpir: float | None = Field(
        description="False positive identification rate at this threshold among so many "
        "references, as an upper bound; null where it is looser than the whole table."
    )
    gallery: GalleryOut
    face: FaceOut
    model: ModelRef = Field(description="That made the first candidate's score.")
    timings_ms: dict[str, float] = Field(
        description="decode, detect, align, embed, search (with the scores), total."
    )


class EmbeddingOut(Schema):
    embedding: list[float] = Field(description="float32; of unit length by the default models.")
    dimension: int
    metric: Literal["euclidean", "other"] = Field(
        description="euclidean: the score falls with the length of the difference; other: with "
        "something of the model's own, so that comparing embeddings elsewhere is an estimate."
    )
    model: ModelRef = Field(
        description="Embeddings of two fingerprints must not be compared with each other."
    )


class EmbeddingsOut(Schema):
    embeddings: list[EmbeddingOut] = Field(
        description="Of the one face that was chosen, by each model that is loaded: two while the "
        "model is changed, else one."
    )
    face: FaceOut
    timings_ms: dict[str, float]
