"""Enrolled identities."""

from __future__ import annotations

from datetime import datetime

from semblance_client.models.base import Model


class Identity(Model):
    identity: str
    references: int
    created_at: datetime


class IdentityPage(Model):
    """A page in order of name.

    Attributes:
        next_cursor: To give for the next page; None if this is the last.
    """

    identities: list[Identity]
    next_cursor: str | None


class Agreement(Model):
    """Scores of a reference with the identity's others."""

    median: float
    lowest: float
    best: float


class Reference(Model):
    """An enrolled picture.

    Attributes:
        agreement: None if it is the only one, or of another model.
        outlier: It is outside of the largest group of references that match each other.
    """

    reference_id: str
    created_at: datetime
    quality: float
    filename: str | None
    has_image: bool
    fingerprint: str
    agreement: Agreement | None
    outlier: bool


class IdentityDetail(Identity):
    """An identity with its references.

    Attributes:
        failures: Verifications in vain since the last that was not.
    """

    items: list[Reference]
    consent: str | None
    metadata: dict[str, str]
    failures: int
    last_used_at: datetime | None


class Deleted(Model):
    identity: str
    references: int
