"""What became of each item of a batch."""

from __future__ import annotations

from pydantic import Field

from semblance_client.models.base import Model
from semblance_client.models.enrolment import Conflict, Enrolment, Rejected
from semblance_client.models.verdicts import Verification


class ProblemContent(Model):
    """What was wrong with an item, as `Problem` has it."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    instance: str | None = None
    reasons: list[str] | None = None
    rejected: list[Rejected] | None = None
    conflicts: list[Conflict] | None = None
    errors: list[dict[str, str]] | None = None


class BatchItem(Model):
    """Attributes:
    index: Of the item among those that were given, from 0.
    id: As the item has it; None if it has none.
    status: That the same request by itself would have had.
    """

    index: int
    id: str | None
    status: int
    problem: ProblemContent | None = Field(default=None)


class VerifiedItem(BatchItem):
    """A verdict, or a problem."""

    result: Verification | None = None


class EnrolledItem(BatchItem):
    """An enrolment, or a problem."""

    result: Enrolment | None = None
