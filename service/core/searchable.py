"""What a search among many identities asks of the store.

A part of `service.core.ports.Store`. The index that searches (`service.core.index`) is
made of pages of embeddings, and kept right by asking which identities have changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from model.types import Array


@dataclass(frozen=True)
class EmbeddingPage:
    """Embeddings of one model, whoever's they are, and where to read on.

    Attributes:
        identities, reference_ids: Of each row. Length N.
        owners: The store's number of each row's identity; another one has it once the
            identity is gone.
        embeddings: Shape (N, D), float32; (0, 0) where there is none.
        position: To give as `after` for the next page; None if this is the last.
    """

    identities: tuple[str, ...]
    reference_ids: tuple[str, ...]
    owners: tuple[int, ...]
    embeddings: Array
    position: int | None = None


@dataclass(frozen=True)
class Mark:
    """A moment of a store, to ask what has changed since.

    Attributes:
        number: Of the latest change that is noted.
        horizon: Before it every transaction has ended, as PostgreSQL counts them.
        at: Seconds since 1970.
    """

    number: int
    horizon: int = 0
    at: float = 0.0


@dataclass(frozen=True)
class Changes:
    """What has changed since a mark.

    Attributes:
        owners: Numbers of identities whose references, names or embeddings did, or that
            are gone; of any collection. One may be named again that was named before.
        whole: Whether that is all; if not, it is too long ago to tell.
        mark: Of now.
    """

    owners: tuple[int, ...]
    whole: bool
    mark: Mark


class Searchable(Protocol):
    """One transaction each."""

    def embeddings(self, fingerprint: str, *, after: int, limit: int) -> EmbeddingPage:
        """Up to `limit` embeddings that the model with this fingerprint made, oldest first.

        Args:
            after: 0 for the first page, then the `position` of the page before. What
                is enrolled or deleted between two pages may be seen or not; nothing
                is seen twice.
        """
        ...

    def embeddings_of(self, fingerprint: str, owners: Sequence[int]) -> EmbeddingPage:
        """All embeddings by this model of some identities of the collection."""
        ...

    def embeddings_by_id(self, fingerprint: str, reference_ids: Sequence[str]) -> EmbeddingPage:
        """Those of these references that the collection has by this model, in any order."""
        ...

    def changes(self, since: Mark | None) -> Changes:
        """Which identities have changed; all that was committed before the call is told.

        Asked on every search, so it costs little. None: the mark of now, nothing else.
        """
        ...

    def forget_changes(self) -> None:
        """Forgets changes of a day ago and before; to be called now and then."""
        ...
