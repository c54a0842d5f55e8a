"""Enrol: judge each image by itself, store the accepted ones in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model import image as image_errors
from model import quality
from model.errors import SemblanceError
from service.core.core import Core
from service.core.errors import LowQuality, NoFace, NoneAccepted, SeveralFaces
from service.core.keep import kept_image
from service.core.perceive import Percept, perceive
from service.core.ports import NewReference
from service.core.results import AcceptedImage, Enrolment, FaceChoice, RejectedImage
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
    core: Core, identity: str, images: Sequence[Upload], choice: FaceChoice = "error"
) -> Enrolment:
    """Enrols images as references of an identity.

    Raises:
        NoneAccepted: If no image was accepted; nothing is stored then.
        TooManyReferences, StorageFull: From the store; nothing is stored.
    """
    percepts: dict[int, Percept] = {}
    rejected: list[RejectedImage] = []
    for index, upload in enumerate(images):
        judged = _judge(core, index, upload, choice)
        if isinstance(judged, Percept):
            percepts[index] = judged
        else:
            rejected.append(judged)
    if not percepts:
        raise NoneAccepted(_why_none(rejected), rejected)
    embeddings = core.model.embed(np.stack([percept.chip for percept in percepts.values()]))
    new = [
        _reference(core, images[index], percept, embedding)
        for (index, percept), embedding in zip(percepts.items(), embeddings, strict=True)
    ]
    stored = core.store.enrol(identity, new, limit=core.policy.max_references)
    accepted = [
        AcceptedImage(
            index=index,
            filename=images[index].filename,
            reference_id=enrolled.reference.reference_id,
            duplicate=enrolled.duplicate,
            found=percept.found,
        )
        for (index, percept), enrolled in zip(percepts.items(), stored, strict=True)
    ]
    total = core.store.summary(identity).references
    return Enrolment(identity, total, tuple(accepted), tuple(rejected))


def _judge(core: Core, index: int, upload: Upload, choice: FaceChoice) -> Percept | RejectedImage:
    percept = None
    try:
        percept = perceive(core, upload.data, choice, Stopwatch())
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


def _reference(core: Core, upload: Upload, percept: Percept, embedding: np.ndarray) -> NewReference:
    kept = kept_image(core.policy.keep, upload.data, percept.image, percept.face)
    # The size goes in, too: the same bytes in another shape are another image.
    digest = hashlib.sha256(repr(percept.image.shape).encode())
    digest.update(percept.image.data)
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


def _why_none(rejected: Sequence[RejectedImage]) -> str:
    if len(rejected) == 1:
        return f"the image was not accepted: {rejected[0].detail}"
    return f"none of the {len(rejected)} images was accepted; `rejected` says why for each"
