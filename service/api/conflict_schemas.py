"""The JSON of conflicts at enrolment, and of how well references agree."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from service.api.schema import Schema, Share
from service.core.results import ConflictKind


class ConflictOut(Schema):
    """An image that does not seem to be of the identity it was sent for."""

    index: int = Field(description="Position of the image in the request, from 0.")
    filename: str | None
    reference_id: str | None = Field(description="Null if it was refused, in strict mode.")
    code: Literal["identity_conflict"]
    kind: ConflictKind = Field(
        description="unlike_own_references: it matches none of the identity's other references, "
        "or only such as match none of the rest; like_another_identity: a reference of another "
        "identity matches it beyond chance, and better than each that is stored of its own."
    )
    own_best: Share | None = Field(
        description="Highest score with the identity's stored references or, where there is "
        "none, with the other images of the request; null without those."
    )
    own_median: Share | None
    other_score: Share | None = Field(
        description="Highest score with a reference of another identity; null if there is none, "
        "or they were not searched."
    )
    other_identity: str | None = Field(
        description="Whose it is; for like_another_identity alone, and only if "
        "SEMBLANCE_CONFLICT_NAMES is on."
    )


class AgreementOut(Schema):
    median: Share = Field(description="Score with the other references.")
    lowest: Share
    best: Share
