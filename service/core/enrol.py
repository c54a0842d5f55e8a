"""Enrol: judge each image by itself, store the accepted ones in one transaction.

While two models are loaded a new identity is enrolled by the next one, and pictures of
one that is enrolled by the model that its references have. Should those get another
just then, it is done again by that one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model import image as image_errors
from model import quality
from model.errors import SemblanceError
from model.types import Array
from service.core.conflict_results import conflict, none_accepted, refused
from service.core.conflicts import Findings, find_conflicts, mode_in_force
from service.core.core import Core
from service.core.errors import (
    LowQuality,
    ModelMismatch,
    NoFace,
    SeveralFaces,
    UnknownIdentity,
)
from service.core.gallery import references_where_possible
from service.core.keep import kept_image
from service.core.perceive import Percept, chip_by, perceive
from service.core.policy import ConflictMode
from service.core.ports import About, NewReference
from service.core.results import AcceptedImage, Conflict, Enrolment, FaceChoice, RejectedImage

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


_TRIES = 5
"""An identity is given to another model once in a change, so that the second is the last."""


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
    if core.next is None:
        return _enrol(core, identity, images, choice=choice, mode=mode, about=about)
    for _ in range(_TRIES):
        at_work, of_one_model = _handling(core, identity)
        others = [other for other in core.each() if other.fingerprint != at_work.fingerprint]
        try:
            return _enrol(
                at_work,
                identity,
                images,
                choice=choice,
                mode=mode,
                about=about,
                others=others,
                one_model=of_one_model,
            )
        except ModelMismatch:
            continue
    return _enrol(core.newest, identity, images, choice=choice, mode=mode, about=about)


def _handling(core: Core, identity: str) -> tuple[Core, bool]:
    """The core by the model that handles an identity, and whether all its references are of it."""
    try:
        at_work, references = references_where_possible(core, identity)
    except UnknownIdentity:
        return core.newest, True
    return at_work, all(one.fingerprint == at_work.fingerprint for one in references)


def _enrol(
    core: Core,
    identity: str,
    images: Sequence[Upload],
    *,
    choice: FaceChoice,
    mode: ConflictMode,
    about: About | None,
    others: Sequence[Core] = (),
    one_model: bool = False,
) -> Enrolment:
    """By one model.

    Args:
        others: The core by each other model that is loaded.
        one_model: Whether the identity must have no reference of another.

    Raises:
        ModelMismatch: If it has one; nothing is stored then.
    """
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
        accepted_percepts = [percepts[index] for index in new]
        elsewhere = [(other, _embedded_by(other, accepted_percepts)) for other in others]
        found = find_conflicts(core, identity, list(new.values()), elsewhere)
    in_conflict = {list(new)[place]: finding for place, finding in found.by_position.items()}
    if mode == "strict":
        for index, finding in in_conflict.items():
            del new[index]
            core.meters.images.add("identity_conflict")
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
    with core.stopwatch() as watch, watch.stage("store"):
        stored = core.store.enrol(
            identity,
            list(new.values()),
            limit=core.policy.max_references,
            about=about,
            one_model=one_model,
        )
    for enrolled in stored:
        core.meters.images.add("duplicate" if enrolled.duplicate else "accepted")
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
        manifest=core.model.manifest,
        conflicts=tuple(conflicts_with(accepted)),
        others_searched=found.others_searched,
    )


def _judge(core: Core, index: int, upload: Upload, choice: FaceChoice) -> Percept | RejectedImage:
    percept = None
    try:
        with core.stopwatch() as watch:
            percept = perceive(core, upload.data, choice, watch, whole=True)
        objections = quality.reasons(percept.quality, core.policy.gate)
        if objections:
            raise LowQuality(
                f"the face would make a poor reference: {', '.join(objections)}", objections
            )
    except tuple(REJECTIONS) as error:
        core.meters.images.add(REJECTIONS[type(error)])
        for reason in error.reasons if isinstance(error, LowQuality) else ():
            core.meters.objections.add(reason)
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
    with core.stopwatch() as watch, watch.stage("embed"):
        embeddings = core.model.embed(np.stack([percept.chip for percept in percepts.values()]))
    return {
        index: _reference(core, images[index], percept, embedding)
        for (index, percept), embedding in zip(percepts.items(), embeddings, strict=True)
    }


def _embedded_by(core: Core, percepts: Sequence[Percept]) -> Array:
    """Embeddings by a model that the faces were not perceived for. Shape (N, D)."""
    return core.model.embed(np.stack([chip_by(core, percept) for percept in percepts]))


def _reference(core: Core, upload: Upload, percept: Percept, embedding: np.ndarray) -> NewReference:
    image = percept.picture.whole
    kept = kept_image(core.policy.keep, upload.data, image, percept.face)
    # The size goes in, too: the same bytes in another shape are another image.
    digest = hashlib.sha256(repr(image.shape).encode())
    digest.update(image.data)
    return NewReference(
        content_hash=digest.hexdigest(),
        embedding=embedding,
        fingerprint=core.fingerprint,
        image=kept.data,
        image_type=kept.media_type,
        landmarks=kept.landmarks,
        quality=percept.quality.score,
        filename=upload.filename,
    )
