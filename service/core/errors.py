"""What can go wrong, in words of the domain; HTTP is not known here.

    SemblanceError
    ├── InvalidRequest              a field is missing or out of its range
    ├── ImageError                  (re-exported from model.image)
    │   ├── UndecodableImage
    │   ├── UnsupportedImageType
    │   ├── ImageTooLarge           bytes
    │   ├── TooManyPixels
    │   └── ImageTooSmall
    ├── FaceError
    │   ├── NoFace
    │   ├── SeveralFaces
    │   └── LowQuality              with `reasons`
    ├── UnknownIdentity
    ├── UnknownReference
    ├── IdentityExists              a name is taken
    ├── ImageNotKept                of this reference no picture is stored
    ├── ImagesNotServed             a setting keeps stored images private
    ├── NoneAccepted                every image of an enrolment was rejected
    ├── IdentityConflict            each of them because it seems to be of somebody else
    ├── TooManyReferences
    ├── GalleryTooLarge             more references than are searched in memory
    ├── ModelMismatch               an embedding of another model, no image to redo it
    ├── AccessError
    │   ├── MissingKey
    │   ├── WrongKey                unknown, revoked or expired
    │   ├── MissingScope
    │   └── RateLimited             with `retry_after_s`
    ├── TooManyFailures             verifications of an identity; with `retry_after_s`
    ├── IdentityLocked              the same, until an administrator unlocks it
    ├── LivenessError
    │   ├── MissingLiveness         a token is demanded, and none was given
    │   ├── WrongLiveness           forged, or of another key, identity or model
    │   ├── LivenessExpired
    │   ├── LivenessUsed
    │   ├── LivenessMismatch        the probe is not who was live
    │   ├── SessionExpired
    │   └── SessionUsed
    ├── DamagedData                 what is stored was changed, or is somebody else's
    ├── Overloaded                  (of model.errors)
    ├── SiteSessionExpired
    ├── WrongSiteSession            not made here, changed, or for a page of another origin
    ├── NotReady
    └── StorageFull

`service.api.problems` maps each leaf to a status and a stable code; a test
checks that none is missing. Messages reach callers: no paths, no bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from model.errors import SemblanceError

if TYPE_CHECKING:
    from service.core.results import Conflict, RejectedImage


class InvalidRequest(SemblanceError):
    pass


class FaceError(SemblanceError):
    pass


class NoFace(FaceError):
    pass


class SeveralFaces(FaceError):
    pass


class LowQuality(FaceError):
    """The face would make a poor reference.

    Attributes:
        reasons: Codes of `model.quality.Reason`.
    """

    def __init__(self, message: str, reasons: Sequence[str]) -> None:
        super().__init__(message)
        self.reasons = tuple(reasons)


class UnknownIdentity(SemblanceError):
    pass


class UnknownReference(SemblanceError):
    pass


class IdentityExists(SemblanceError):
    pass


class ImageNotKept(SemblanceError):
    pass


class ImagesNotServed(SemblanceError):
    pass


class NoneAccepted(SemblanceError):
    """No image of an enrolment was accepted; nothing is stored.

    Attributes:
        rejected: Why, one for each image.
        conflicts: The scores behind those that are conflicts.
    """

    def __init__(
        self,
        message: str,
        rejected: Sequence[RejectedImage],
        conflicts: Sequence[Conflict] = (),
    ) -> None:
        super().__init__(message)
        self.rejected = tuple(rejected)
        self.conflicts = tuple(conflicts)


class IdentityConflict(SemblanceError):
    """Every image of an enrolment was refused as a conflict; nothing is stored.

    Attributes:
        rejected, conflicts: Why, one for each image.
    """

    def __init__(
        self, message: str, rejected: Sequence[RejectedImage], conflicts: Sequence[Conflict]
    ) -> None:
        super().__init__(message)
        self.rejected = tuple(rejected)
        self.conflicts = tuple(conflicts)


class TooManyReferences(SemblanceError):
    pass


class GalleryTooLarge(SemblanceError):
    pass


class ModelMismatch(SemblanceError):
    pass


class AccessError(SemblanceError):
    pass


class MissingKey(AccessError):
    pass


class WrongKey(AccessError):
    pass


class MissingScope(AccessError):
    pass


class RateLimited(AccessError):
    """The key has no request left.

    Attributes:
        retry_after_s: When it has one again.
        allowance: Limit, remaining and seconds to the reset of the bound it met.
    """

    def __init__(self, message: str, retry_after_s: int, allowance: tuple[int, int, int]) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.allowance = allowance


class TooManyFailures(SemblanceError):
    """An identity was verified in vain too often of late.

    Attributes:
        retry_after_s: When it may be tried again.
    """

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class IdentityLocked(SemblanceError):
    pass


class LivenessError(SemblanceError):
    pass


class MissingLiveness(LivenessError):
    pass


class WrongLiveness(LivenessError):
    pass


class LivenessExpired(LivenessError):
    pass


class LivenessUsed(LivenessError):
    pass


class LivenessMismatch(LivenessError):
    pass


class SessionExpired(LivenessError):
    pass


class SessionUsed(LivenessError):
    pass


class DamagedData(SemblanceError):
    pass


class NotReady(SemblanceError):
    pass


class SiteSessionExpired(SemblanceError):
    pass


class WrongSiteSession(SemblanceError):
    pass


class StorageFull(SemblanceError):
    pass
