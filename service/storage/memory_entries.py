"""What the store in memory is made of."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime

from service.core.errors import ModelMismatch, TooManyReferences
from service.core.ports import About, NewReference, Reference, Standing, StoredImage


@dataclass(eq=False)
class Entry:
    number: int
    reference: Reference
    image: StoredImage | None


@dataclass
class Identity:
    created_at: datetime
    entries: list[Entry]
    revision: int = field(default_factory=lambda: secrets.randbits(63))
    standing: Standing = field(default_factory=lambda: Standing(0, None))
    about: About = field(default_factory=About)
    number: int = field(default_factory=lambda: secrets.randbits(62))

    def changed(self, entries: list[Entry]) -> Identity:
        """The same with these references, and so of another revision."""
        return replace(self, entries=entries, revision=secrets.randbits(63))

    def merged(self, other: Identity, *, limit: int) -> tuple[Identity, int]:
        """With the references of another, and how many of those were moved.

        Raises as `service.core.regroup.Regrouping.merge`.
        """
        known = {entry.reference.content_hash for entry in self.entries}
        moved = [one for one in other.entries if one.reference.content_hash not in known]
        both = [*self.entries, *other.entries]
        models = {entry.reference.fingerprint for entry in both}
        if len(models) > 1 and any(entry.image is None for entry in both):
            raise ModelMismatch("They are by several models, and not all pictures are kept.")
        if moved and len(self.entries) + len(moved) > limit:
            raise TooManyReferences(f"An identity may have {limit} references, not more.")
        entries = sorted((*self.entries, *moved), key=lambda entry: entry.number)
        about = other.about if self.about == About() else self.about
        a, b = self.standing, other.standing
        standing = Standing(
            max(a.failures, b.failures),
            max((at for at in (a.failed_at, b.failed_at) if at), default=None),
            max((at for at in (a.used_at, b.used_at) if at), default=None),
        )
        merged = replace(self.changed(entries), standing=standing, about=about)
        return merged, len(moved)


def copied(reference: Reference) -> Reference:
    """A reference whose array is the caller's own, as if it came from a database."""
    return replace(reference, embedding=reference.embedding.copy())


def entry_of(number: int, new: NewReference, created_at: datetime) -> Entry:
    image = None
    if new.image is not None:
        assert new.image_type is not None  # of a picture, it is known
        image = StoredImage(new.image, new.image_type, new.landmarks.copy())
    return Entry(
        number=number,
        reference=Reference(
            reference_id=uuid.uuid4().hex,
            content_hash=new.content_hash,
            embedding=new.embedding.copy(),
            fingerprint=new.fingerprint,
            quality=new.quality,
            filename=new.filename,
            created_at=created_at,
            has_image=image is not None,
        ),
        image=image,
    )
