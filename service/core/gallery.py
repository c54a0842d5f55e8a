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
from model.fusion import centroid
from model.image import Limits, decode
from model.types import Array
from service.core.core import Core
from service.core.errors import ModelMismatch, UnknownIdentity
from service.core.gallery_cache import Gallery
from service.core.ports import Reference

# What was accepted once is read again whatever the limits are now.
_NO_LIMITS = Limits(max_image_bytes=2**31, max_image_pixels=2**31, min_side_px=1)


def gallery_of(core: Core, identity: str) -> Gallery:
    """The gallery of an identity as it is now; read anew only if it changed.

    Raises:
        UnknownIdentity
        ModelMismatch: If an embedding is another model's and no image is kept.
    """
    held_as = core.held_as(identity)
    try:
        revision = core.store.revision(identity)
    except UnknownIdentity:
        core.galleries.get(held_as, None)
        raise
    found = core.galleries.get(held_as, revision)
    if found is None:
        # The references are read after the revision: if they are newer than it says,
        # nobody will ask for that revision again.
        drops = core.galleries.drops
        found = _gallery(_references_of(core, identity))
        core.galleries.put(held_as, revision, found, drops)
    return found


def _gallery(references: Sequence[Reference]) -> Gallery:
    embeddings = matrix(references)
    weights = np.array([reference.quality for reference in references], dtype=np.float32)
    rows = np.concatenate([embeddings, centroid(embeddings, weights)[None]])
    rows.flags.writeable = False
    return Gallery(tuple(reference.reference_id for reference in references), rows)


def _references_of(core: Core, identity: str) -> list[Reference]:
    """The references of an identity, every embedding by the running model."""
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
    """The references, oldest first, each embedding by the running model where that can be.

    Those that cannot be made again come as they are stored; their fingerprint tells them.

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
