"""References of an identity as the model that handles it needs them.

The stored image is the truth and the embedding is derived: one that another
model made is made again from the image before it is used.

An identity is handled by one model. Where one is loaded, that is it. While two are
(`Core.next`), it is the one that its references are of; where they are of several, or
of one that is not loaded, it is the next one, and they are made again.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from model.errors import SemblanceError
from model.fusion import centroid
from model.types import Array
from service.core.core import Core
from service.core.errors import ModelMismatch, UnknownIdentity
from service.core.gallery_cache import Gallery
from service.core.ports import Reference
from service.core.remade import chip_of_kept, embeddings_of


def gallery_of(core: Core, identity: str) -> tuple[Core, Gallery]:
    """The gallery of an identity as it is now, and the core by the model that made it.

    Read anew only if it changed.

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
    at_work = core.by(found.fingerprint) if found else None
    if found is None or at_work is None:
        # The references are read after the revision: if they are newer than it says,
        # nobody will ask for that revision again.
        drops = core.galleries.drops
        at_work, references = _references_of(core, identity)
        found = _gallery(references, at_work.fingerprint)
        core.galleries.put(held_as, revision, found, drops)
    return at_work, found


def handled_by(core: Core, references: Sequence[Reference]) -> Core:
    """The core by the one model that handles an identity with these references.

    Of the models that could, for which no reference without a picture would have to be
    made again, the newest; the newest of all if none could.
    """
    if core.next is None:
        return core
    for one in core.each():
        if all(reference.fingerprint == one.fingerprint for reference in references):
            return one
    fixed = {reference.fingerprint for reference in references if not reference.has_image}
    able = [one for one in core.each() if fixed <= {one.fingerprint}]
    return able[-1] if able else core.newest


def references_where_possible(core: Core, identity: str) -> tuple[Core, list[Reference]]:
    """The references, oldest first, each embedding by one model where that can be.

    With the core by that model. Those that cannot be made again come as they are
    stored; their fingerprint tells them.

    Raises:
        UnknownIdentity
    """
    found = core.store.references(identity)
    at_work = handled_by(core, found)
    for place, reference in enumerate(found):
        if reference.fingerprint != at_work.fingerprint:
            # Whatever is in the way (no picture, a damaged one, a full disk, a reference
            # that was deleted meanwhile): this one has no embedding of that model.
            with suppress(SemblanceError):
                found[place] = _made_again(at_work, identity, reference)
    return at_work, found


def matrix(references: Sequence[Reference]) -> Array:
    """The embeddings as rows. Shape (M, D), float32."""
    return np.stack([reference.embedding for reference in references])


def _gallery(references: Sequence[Reference], fingerprint: str) -> Gallery:
    embeddings = matrix(references)
    weights = np.array([reference.quality for reference in references], dtype=np.float32)
    rows = np.concatenate([embeddings, centroid(embeddings, weights)[None]])
    rows.flags.writeable = False
    return Gallery(tuple(reference.reference_id for reference in references), rows, fingerprint)


def _references_of(core: Core, identity: str) -> tuple[Core, list[Reference]]:
    """The references of an identity, every embedding by one model, and the core by it."""
    references = core.store.references(identity)
    at_work = handled_by(core, references)
    return at_work, [
        reference
        if reference.fingerprint == at_work.fingerprint
        else _made_again(at_work, identity, reference)
        for reference in references
    ]


def _made_again(core: Core, identity: str, reference: Reference) -> Reference:
    kept = core.store.image(identity, reference.reference_id)
    if kept is None:
        raise ModelMismatch(
            f"reference {reference.reference_id} was enrolled with another model "
            "and no image of it is kept; enrol it again"
        )
    chip = chip_of_kept(core.model, core.detector, kept)
    (embedding,) = embeddings_of(core.model, [chip])
    core.store.update_embedding(reference.reference_id, embedding, core.fingerprint)
    return replace(reference, embedding=embedding, fingerprint=core.fingerprint)
