"""What an enrolment answers."""

from __future__ import annotations

from typing import Literal

from semblance_client.models.base import Model
from semblance_client.models.faces import Face


class ModelRef(Model):
    """Which model answered."""

    name: str
    version: str
    fingerprint: str


class Accepted(Model):
    """An image that is now a reference.

    Attributes:
        index: Position of the image in the request, from 0.
        duplicate: This very image was enrolled before; it is not stored twice.
    """

    index: int
    filename: str | None
    reference_id: str
    duplicate: bool
    face: Face
    quality: float


class Rejected(Model):
    """An image that was not enrolled, and the code of why."""

    index: int
    filename: str | None
    code: str
    detail: str
    reasons: list[str]
    face: Face | None


class Conflict(Model):
    """An image that does not seem to be of the identity it was sent for.

    Attributes:
        reference_id: None if it was refused, in strict mode.
        own_best, own_median: Scores with the identity's own references.
        other_score: Highest score with a reference of another identity.
    """

    index: int
    filename: str | None
    reference_id: str | None
    code: Literal["identity_conflict"]
    kind: Literal["unlike_own_references", "like_another_identity"]
    own_best: float | None
    own_median: float | None
    other_score: float | None
    other_identity: str | None


class Enrolment(Model):
    """What became of each image.

    Attributes:
        references: How many the identity has now.
        others_searched: Whether other identities were compared.
    """

    identity: str
    references: int
    accepted: list[Accepted]
    rejected: list[Rejected]
    conflicts: list[Conflict]
    others_searched: bool
    model: ModelRef
