"""What the core needs from outside, as protocols.

`service.runtime` implements `FaceModel` and `service.storage` implements
`Store`; only `service.app` knows which. Every method is called from the
worker threads of the HTTP server, several at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from model.contract import Manifest
from model.types import Array, Image
from service.core.regroup import Regrouping
from service.core.searchable import Searchable


class FaceModel(Protocol):
    """The tower and the siamese head of one artifact."""

    @property
    def manifest(self) -> Manifest: ...

    def embed(self, chips: Image) -> Array:
        """Embeddings of chips, (N, H, W, 3) uint8 RGB -> (N, D), unit length."""
        ...

    def score(self, probe: Array, references: Array) -> Array:
        """Scores of one probe (D,) against references (M, D), M >= 1 -> (M,)."""
        ...


@dataclass(frozen=True)
class NewReference:
    """An accepted image on its way into the store.

    Attributes:
        content_hash: SHA-256 of the decoded pixels, hex; the same image again
            has the same one.
        embedding: Shape (D,), float32, unit length.
        fingerprint: Of the model that made the embedding.
        image: Encoded picture to keep, or None when the setting keeps none.
        image_type: Media type of `image`, such as "image/jpeg", or None.
        landmarks: Of the face, in pixels of `image`. Shape (5, 2).
        quality: In [0, 1].
        filename: As the caller named it; shown, never opened. May be None.
    """

    content_hash: str
    embedding: Array
    fingerprint: str
    image: bytes | None
    image_type: str | None
    landmarks: Array
    quality: float
    filename: str | None


@dataclass(frozen=True)
class Reference:
    """A stored reference.

    Attributes:
        reference_id: Made by the store: 32 hex digits.
        content_hash: As in the `NewReference` that it came from.
        embedding: Shape (D,), float32.
        fingerprint: Of the model that made `embedding`.
        created_at: UTC, with time zone.
        has_image: Whether a picture is kept.
    """

    reference_id: str
    content_hash: str
    embedding: Array
    fingerprint: str
    quality: float
    filename: str | None
    created_at: datetime
    has_image: bool


@dataclass(frozen=True)
class Enrolled:
    """What became of one `NewReference`.

    Attributes:
        duplicate: The identity had this very image; nothing new was stored.
    """

    reference: Reference
    duplicate: bool


@dataclass(frozen=True)
class IdentitySummary:
    identity: str
    references: int
    created_at: datetime


@dataclass(frozen=True)
class StoredImage:
    """The kept picture of a reference, with the face's landmarks in it."""

    data: bytes
    media_type: str
    landmarks: Array


@dataclass(frozen=True)
class Standing:
    """How verifications of an identity went.

    Attributes:
        failures: In vain, since the last that was not.
        failed_at: When the latest of those was, UTC; None if there is none.
        used_at: When one was not in vain, to the day or so, UTC; None if never.
    """

    failures: int
    failed_at: datetime | None
    used_at: datetime | None = None


@dataclass(frozen=True)
class About:
    """What the caller says about an identity.

    Attributes:
        consent: Where the person's consent is on record, such as a document's number.
        metadata: Names and values of the caller's own.
    """

    consent: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


class Store(Regrouping, Searchable, Protocol):
    """The identities of one collection. Each method is one transaction, durable on return."""

    def within(self, collection: str) -> Store:
        """The same store, for another collection: nothing else is seen or changed by it."""
        ...

    def enrol(
        self,
        identity: str,
        references: Sequence[NewReference],
        *,
        limit: int,
        about: About | None = None,
        one_model: bool = False,
    ) -> list[Enrolled]:
        """Adds references, creating the identity when it is new; all or nothing.

        `about` replaces what was said about it before; None leaves that.

        Answers in the order given. An image that the identity already has (by
        content hash, or twice in one call) is answered with the stored one.

        Raises:
            ModelMismatch: If `one_model`, and the identity has a reference by another
                model than the new ones, which are of one.
            TooManyReferences: If the identity would have more than `limit`.
            StorageFull: If the disk is full.
        """
        ...

    def revision(self, identity: str) -> int:
        """Which state the references of an identity are in. Raises UnknownIdentity.

        Asked on every verification, so it costs next to nothing. As long as it is the
        same, so are the references and their embeddings: any change, by whatever
        process, comes with a revision that no state has had before, nor one of an
        identity of this name that was deleted.
        """
        ...

    def references(self, identity: str) -> list[Reference]:
        """References of an identity, oldest first. Raises UnknownIdentity."""
        ...

    def standing(self, identity: str) -> Standing:
        """Asked on every verification. Raises UnknownIdentity."""
        ...

    def note_use(self, identity: str) -> None:
        """Forgets failures, and notes that it was used now. Raises UnknownIdentity."""
        ...

    def add_failure(self, identity: str) -> int:
        """Counts a verification in vain; answers how many there are. Raises UnknownIdentity."""
        ...

    def redate_failure(self, identity: str) -> None:
        """The latest failure, if there is any, was now. Raises UnknownIdentity."""
        ...

    def forget_failures(self, identity: str) -> None:
        """Raises UnknownIdentity."""
        ...

    def update_embedding(self, reference_id: str, embedding: Array, fingerprint: str) -> None:
        """Replaces a derived embedding; does nothing if the reference is gone."""
        ...

    def count(self, at_most: int | None = None) -> int:
        """References of all identities, whatever model their embeddings are of.

        Args:
            at_most: Where to stop counting: of a large gallery that takes long.
        """
        ...

    def summary(self, identity: str) -> IdentitySummary:
        """Raises UnknownIdentity."""
        ...

    def identities(self, after: str | None, limit: int) -> list[IdentitySummary]:
        """Up to `limit` identities in code point order of name, those after `after`."""
        ...

    def about(self, identity: str) -> About:
        """Raises UnknownIdentity."""
        ...

    def collections(self) -> list[str]:
        """All that have an identity."""
        ...

    def expired(
        self, *, enrolled_before: datetime | None, used_before: datetime | None, limit: int
    ) -> list[str]:
        """Up to `limit` identities last enrolled, or neither enrolled nor used since, before."""
        ...

    def image(self, identity: str, reference_id: str) -> StoredImage | None:
        """The kept picture; None if none is kept.

        Raises:
            UnknownIdentity, UnknownReference
        """
        ...

    def owner_of(self, reference_id: str) -> str:
        """The identity that has this reference. Raises UnknownReference."""
        ...

    def delete_identity(self, identity: str) -> int:
        """Erases an identity and all its bytes; answers how many references went.

        Raises UnknownIdentity.
        """
        ...

    def delete_reference(self, identity: str, reference_id: str) -> None:
        """Erases one reference and its bytes; the identity goes with its last one.

        Raises:
            UnknownIdentity, UnknownReference
        """
        ...

    def check(self) -> None:
        """Returns if the store can be read; raises NotReady otherwise."""
        ...

    def close(self) -> None: ...
