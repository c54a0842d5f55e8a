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
    ├── ImagesNotServed             a setting keeps stored images private
    ├── NoneAccepted                every image of an enrolment was rejected
    ├── IdentityConflict            each of them because it seems to be of somebody else
    ├── TooManyReferences
    ├── ModelMismatch               an embedding of another model, no image to redo it
    ├── Overloaded
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


class ModelMismatch(SemblanceError):
    pass


class Overloaded(SemblanceError):
    pass


class NotReady(SemblanceError):
    pass


class StorageFull(SemblanceError):
    pass
