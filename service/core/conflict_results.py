"""What an enrolment answers about pictures in conflict."""

from __future__ import annotations

from collections.abc import Sequence

from service.core.conflicts import CONFLICT, Finding, in_words
from service.core.core import Core
from service.core.errors import IdentityConflict, NoneAccepted
from service.core.results import AcceptedImage, Conflict, FoundFace, RejectedImage


def refused(
    core: Core, index: int, filename: str | None, found: FoundFace, finding: Finding
) -> RejectedImage:
    """A picture in conflict as one that is not stored."""
    return RejectedImage(
        index=index,
        filename=filename,
        code=CONFLICT,
        detail=in_words(finding, _other_identity(core, finding)),
        found=found,
    )


def conflict(
    core: Core, index: int, filename: str | None, finding: Finding, accepted: AcceptedImage | None
) -> Conflict:
    """The scores behind it. `accepted` is what was stored of the picture, or None."""
    return Conflict(
        index=index,
        filename=filename,
        reference_id=accepted.reference_id if accepted else None,
        kind=finding.kind,
        own_best=finding.own.best if finding.own else None,
        own_median=finding.own.median if finding.own else None,
        other_score=finding.other.score if finding.other else None,
        other_identity=_other_identity(core, finding),
    )


def none_accepted(
    rejected: Sequence[RejectedImage], conflicts: Sequence[Conflict]
) -> NoneAccepted | IdentityConflict:
    """The error of an enrolment that stores nothing."""
    if all(item.code == CONFLICT for item in rejected):
        return IdentityConflict(_why_none(rejected), rejected, conflicts)
    return NoneAccepted(_why_none(rejected), rejected, conflicts)


def _other_identity(core: Core, finding: Finding) -> str | None:
    """Who the face looks like instead, where that is the conflict and may be told."""
    told = finding.kind == "like_another_identity" and core.policy.conflict_names
    return finding.other.identity if told and finding.other else None


def _why_none(rejected: Sequence[RejectedImage]) -> str:
    if len(rejected) == 1:
        return f"the image was not accepted: {rejected[0].detail}"
    return f"none of the {len(rejected)} images was accepted; `rejected` says why for each"
