"""Enrol: judge each image by itself, store the accepted ones in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model import image as image_errors
from model import quality
from model.errors import SemblanceError
from service.core.conflict_results import conflict, none_accepted, refused
from service.core.conflicts import Findings, find_conflicts, mode_in_force
from service.core.core import Core
from service.core.errors import LowQuality, NoFace, SeveralFaces
from service.core.keep import kept_image
from service.core.perceive import Percept, perceive
from service.core.policy import ConflictMode
from service.core.ports import About, NewReference
from service.core.results import AcceptedImage, Conflict, Enrolment, FaceChoice, RejectedImage
from service.core.stopwatch import Stopwatch

REJECTIONS: dict[type[SemblanceError], str] = {
    image_errors.UndecodableImage: "undecodable_image",
    image_errors.UnsupportedImageType: "unsupported_image_type",
    image_errors.ImageTooLarge: "image_too_large",
    image_errors.TooManyPixels: "too_many_pixels",
    image_errors.ImageTooSmall: "image_too_small",
    NoFace: "no_face",
    SeveralFaces: "several_faces",
    LowQuality: "low_quality",
}
"""What can be wrong with one image, and its code; the others are still enrolled."""


@dataclass(frozen=True)
class Upload:
    """An image as sent. The file name is shown in answers, never opened."""

    data: bytes
    filename: str | None = None


def enrol(
    core: Core,
    identity: str,
    images: Sequence[Upload],
    choice: FaceChoice = "error",
    conflicts: ConflictMode | None = None,
    *,
    about: About | None = None,
) -> Enrolment:
    """Enrols images as references of an identity.

    Args:
        conflicts: Instead of the operator's mode, if it is stricter.
        about: What is said about the identity; None leaves what was said before.

    Raises:
        InvalidRequest: If `conflicts` is weaker than the operator's mode.
        NoneAccepted: If no image was accepted; nothing is stored then.
        IdentityConflict: The same, if all were refused as conflicts.
        TooManyReferences, StorageFull: From the store; nothing is stored.
    """
    mode = mode_in_force(core.policy.conflicts, conflicts)
    percepts: dict[int, Percept] = {}
    rejected: list[RejectedImage] = []
    for index, upload in enumerate(images):
        judged = _judge(core, index, upload, choice)
        if isinstance(judged, Percept):
            percepts[index] = judged
        else:
            rejected.append(judged)
    new = _embedded(core, images, percepts)
    found = Findings({}, others_searched=False)
    if new and mode != "off":
        found = find_conflicts(core, identity, list(new.values()))
    in_conflict = {list(new)[place]: finding for place, finding in found.by_position.items()}
    if mode == "strict":
        for index, finding in in_conflict.items():
            del new[index]
            name, face = images[index].filename, percepts[index].found
            rejected.append(refused(core, index, name, face, finding))
        rejected.sort(key=lambda item: item.index)

    def conflicts_with(accepted: dict[int, AcceptedImage]) -> list[Conflict]:
        return [
            conflict(core, index, images[index].filename, finding, accepted.get(index))
            for index, finding in in_conflict.items()
        ]

    if not new:
        raise none_accepted(rejected, conflicts_with({}))
    stored = core.store.enrol(
        identity, list(new.values()), limit=core.policy.max_references, about=about
    )
    accepted = {
        index: AcceptedImage(
            index=index,
            filename=images[index].filename,
            reference_id=enrolled.reference.reference_id,
            duplicate=enrolled.duplicate,
            found=percepts[index].found,
        )
        for index, enrolled in zip(new, stored, strict=True)
    }
    return Enrolment(
        identity=identity,
        references=core.store.summary(identity).references,
        accepted=tuple(accepted.values()),
        rejected=tuple(rejected),
        conflicts=tuple(conflicts_with(accepted)),
        others_searched=found.others_searched,
    )


def _judge(core: Core, index: int, upload: Upload, choice: FaceChoice) -> Percept | RejectedImage:
    percept = None
    try:
        percept = perceive(core, upload.data, choice, Stopwatch(), whole=True)
        objections = quality.reasons(percept.quality, core.policy.gate)
        if objections:
            raise LowQuality(
                f"the face would make a poor reference: {', '.join(objections)}", objections
            )
    except tuple(REJECTIONS) as error:
        return RejectedImage(
            index=index,
            filename=upload.filename,
            code=REJECTIONS[type(error)],
            detail=str(error),
            reasons=error.reasons if isinstance(error, LowQuality) else (),
            found=percept.found if percept else None,
        )
    return percept


def _embedded(
    core: Core, images: Sequence[Upload], percepts: dict[int, Percept]
) -> dict[int, NewReference]:
    """What would be stored of each image that passed the gate, by its index."""
    if not percepts:
        return {}
    embeddings = core.model.embed(np.stack([percept.chip for percept in percepts.values()]))
    return {
        index: _reference(core, images[index], percept, embedding)
        for (index, percept), embedding in zip(percepts.items(), embeddings, strict=True)
    }


def _reference(core: Core, upload: Upload, percept: Percept, embedding: np.ndarray) -> NewReference:
    image = percept.picture.whole
    kept = kept_image(core.policy.keep, upload.data, image, percept.face)
    # The size goes in, too: the same bytes in another shape are another image.
    digest = hashlib.sha256(repr(image.shape).encode())
    digest.update(image.data)
    return NewReference(
        content_hash=digest.hexdigest(),
        embedding=embedding,
        fingerprint=core.model.manifest.fingerprint,
        image=kept.data,
        image_type=kept.media_type,
        landmarks=kept.landmarks,
        quality=percept.quality.score,
        filename=upload.filename,
    )
