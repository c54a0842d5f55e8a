"""The part of the store that searches ask: pages of embeddings, and what has changed."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Engine

from service.core.searchable import Changes, EmbeddingPage, Mark
from service.storage.changes import changes, forget_changes
from service.storage.embedding_pages import EmbeddingPages
from service.storage.engines import WRITES
from service.storage.faults import translated


class SqlSearchable:
    """`service.core.searchable.Searchable` over a migrated database."""

    _collection: str
    _pages: EmbeddingPages
    _reading_engine: Engine
    engine: Engine

    def embeddings(self, fingerprint: str, *, after: int, limit: int) -> EmbeddingPage:
        return self._pages.after(self._collection, fingerprint, after=after, limit=limit)

    def embeddings_of(self, fingerprint: str, owners: Sequence[int]) -> EmbeddingPage:
        return self._pages.of(self._collection, fingerprint, owners)

    def embeddings_by_id(self, fingerprint: str, reference_ids: Sequence[str]) -> EmbeddingPage:
        return self._pages.by_id(self._collection, fingerprint, reference_ids)

    def changes(self, since: Mark | None) -> Changes:
        with translated(), self._reading_engine.begin() as connection:
            return changes(connection, since)

    def forget_changes(self) -> None:
        with translated(), self.engine.execution_options(**WRITES).begin() as connection:
            forget_changes(connection)
