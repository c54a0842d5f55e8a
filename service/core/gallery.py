"""References of an identity as the running model needs them.

The stored image is the truth and the embedding is derived: one that another
model made is made again from the image before it is used.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from model.chip import chip_of, located
from model.errors import SemblanceError
from model.faces import Face
from model.image import Limits, decode
from model.types import Array
from service.core.core import Core
from service.core.errors import ModelMismatch
from service.core.ports import Reference

# What was accepted once is read again whatever the limits are now.
_NO_LIMITS = Limits(max_image_bytes=2**31, max_image_pixels=2**31, min_side_px=1)


def references_of(core: Core, identity: str) -> list[Reference]:
    """The references of an identity, every embedding by the running model.

    Raises:
        UnknownIdentity
        ModelMismatch: If an embedding is another model's and no image is kept.
    """
    references = core.store.references(identity)
    fingerprint = core.model.manifest.fingerprint
    if all(reference.fingerprint == fingerprint for reference in references):
        return references
    return [
        reference
        if reference.fingerprint == fingerprint
        else _made_again(core, identity, reference)
        for reference in references
    ]


def references_where_possible(core: Core, identity: str) -> list[Reference]:
    """As `references_of`, but those that cannot be made again come as they are stored.

    Their fingerprint tells them.

    Raises:
        UnknownIdentity
    """
    fingerprint = core.model.manifest.fingerprint
    found = core.store.references(identity)
    for place, reference in enumerate(found):
        if reference.fingerprint != fingerprint:
            # Whatever is in the way (no picture, a damaged one, a full disk, a reference
            # that was deleted meanwhile): this one has no embedding of the running model.
            with suppress(SemblanceError):
                found[place] = _made_again(core, identity, reference)
    return found


def matrix(references: Sequence[Reference]) -> Array:
    """The embeddings as rows. Shape (M, D), float32."""
    return np.stack([reference.embedding for reference in references])


def _made_again(core: Core, identity: str, reference: Reference) -> Reference:
    manifest = core.model.manifest
    kept = core.store.image(identity, reference.reference_id)
    if kept is None:
        raise ModelMismatch(
            f"reference {reference.reference_id} was enrolled with another model "
            "and no image of it is kept; enrol it again"
        )
    image = decode(kept.data, _NO_LIMITS)
    face = located(core.detector, image, _face_at(kept.landmarks), manifest)
    embedding = core.model.embed(chip_of(image, face, manifest)[None])[0]
    core.store.update_embedding(reference.reference_id, embedding, manifest.fingerprint)
    return replace(reference, embedding=embedding, fingerprint=manifest.fingerprint)


def _face_at(landmarks: Array) -> Face:
    """A face of which only the landmarks are kept."""
    (x, y), (right, bottom) = landmarks.min(axis=0), landmarks.max(axis=0)
    return Face(float(x), float(y), float(right - x), float(bottom - y), landmarks, 1.0)
