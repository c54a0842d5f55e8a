"""The store over an SQL database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from datetime import datetime

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.exc import DBAPIError

from model.types import Array
from service.core.access import DEFAULT_COLLECTION
from service.core.errors import DamagedData, NotReady, UnknownIdentity, UnknownReference
from service.core.ports import (
    About,
    Enrolled,
    IdentitySummary,
    NewReference,
    Reference,
    Standing,
    StoredImage,
)
from service.core.secrecy import DataKey
from service.storage import people, queries, regrouping
from service.storage.changes import note_change
from service.storage.data_keys import KEY_GONE, DataKeys
from service.storage.databases import Databases
from service.storage.embedding_pages import EmbeddingPages, count_all
from service.storage.engines import WRITES
from service.storage.enrolment import add_references
from service.storage.erasure import erase_deleted
from service.storage.faults import translated
from service.storage.postgres import is_postgres, keep_writers_out, reading_engine
from service.storage.revisions import RevisionQuery, set_revision
from service.storage.sealing import Seal
from service.storage.sql_keys import SqlKeys
from service.storage.sql_search import SqlSearchable
from service.storage.standing import StandingQuery, clear_failures, count_failure, redate_failure
from service.storage.tables import face_references, identities


class SqlStore(SqlSearchable):
    """`service.core.ports.Store` over a migrated database.

    Besides the errors in the port, any method raises Overloaded when others
    keep the database locked, and NotReady when it cannot be read or written.
    Deleting writes too, and so may raise StorageFull.
    """

    def __init__(
        self, databases: Databases, data_keys: DataKeys, collection: str = DEFAULT_COLLECTION
    ) -> None:
        self.databases = databases
        self.engine = databases.faces
        self.data_keys = data_keys
        self.keys = SqlKeys(self.engine)
        self._reading_engine = reading_engine(self.engine)
        self._writing_engine = self.engine.execution_options(**WRITES)
        self._revision_of = RevisionQuery(databases.lookups)
        self._standing_of = StandingQuery(databases.lookups)
        self._pages = EmbeddingPages(self.engine, data_keys)
        self._collection = collection

    def within(self, collection: str) -> SqlStore:
        other = copy(self)
        other._collection = collection
        return other

    def _stored(self, identity: str) -> str:
        return queries.stored_name(self._collection, identity)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with translated(), self._reading_engine.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with translated(), self._writing_engine.begin() as connection:
            yield connection

    def enrol(
        self,
        identity: str,
        references: Sequence[NewReference],
        *,
        limit: int,
        about: About | None = None,
        one_model: bool = False,
    ) -> list[Enrolled]:
        if not references:
            return []
        with self._writing() as connection:
            return add_references(
                connection,
                self.data_keys,
                self._stored(identity),
                references,
                limit=limit,
                about=about,
                one_model=one_model,
            )

    def revision(self, identity: str) -> int:
        with translated():
            found = self._revision_of(self._stored(identity))
        if found is None:
            raise UnknownIdentity(queries.NO_IDENTITY)
        return found

    def standing(self, identity: str) -> Standing:
        with translated():
            found = self._standing_of(self._stored(identity))
        if found is None:
            raise UnknownIdentity(queries.NO_IDENTITY)
        return found

    def add_failure(self, identity: str) -> int:
        with self._writing() as connection:
            owner = queries.require_identity(connection, self._stored(identity), to_change=True)
            return count_failure(connection, owner.number)

    def redate_failure(self, identity: str) -> None:
        with self._writing() as connection:
            owner = queries.require_identity(connection, self._stored(identity), to_change=True)
            redate_failure(connection, owner.number)

    def forget_failures(self, identity: str) -> None:
        with self._writing() as connection:
            owner = queries.require_identity(connection, self._stored(identity), to_change=True)
            clear_failures(connection, owner.number, used=False)

    def note_use(self, identity: str) -> None:
        with self._writing() as connection:
            owner = queries.require_identity(connection, self._stored(identity), to_change=True)
            clear_failures(connection, owner.number, used=True)

    def references(self, identity: str) -> list[Reference]:
        with self._reading() as connection:
            owner = queries.require_identity(connection, self._stored(identity))
            key = self._key_of(owner)
            return queries.references_of(connection, owner, key)

    def update_embedding(self, reference_id: str, embedding: Array, fingerprint: str) -> None:
        named = face_references.c.reference_id == reference_id
        with self._writing() as connection:
            row = connection.execute(
                select(identities.c.id, identities.c.name, identities.c.data_key)
                .join_from(face_references, identities)
                .where(named, queries.of_collection(self._collection))
                .with_for_update(of=identities)
            ).one_or_none()
            if row is None:
                return
            owner = queries.Owner(row.id, row.name, row.data_key)
            seal = Seal(self._key_of(owner), owner.name, reference_id)
            connection.execute(
                update(face_references)
                .where(named)
                .values(embedding=seal.embedding(embedding), fingerprint=fingerprint)
            )
            set_revision(connection, owner.number)

    def count(self, at_most: int | None = None) -> int:
        with self._reading() as connection:
            return count_all(connection, self._collection, at_most)

    def summary(self, identity: str) -> IdentitySummary:
        with self._reading() as connection:
            row = connection.execute(
                queries.SUMMARIES.where(identities.c.name == self._stored(identity))
            ).one_or_none()
        if row is None:
            raise UnknownIdentity(queries.NO_IDENTITY)
        return queries.to_summary(row)

    def identities(self, after: str | None, limit: int) -> list[IdentitySummary]:
        statement = (
            queries.SUMMARIES.where(queries.of_collection(self._collection))
            .order_by(identities.c.name)
            .limit(limit)
        )
        if after is not None:
            statement = statement.where(identities.c.name > self._stored(after))
        with self._reading() as connection:
            return [queries.to_summary(row) for row in connection.execute(statement)]

    def about(self, identity: str) -> About:
        with self._reading() as connection:
            owner = queries.require_identity(connection, self._stored(identity))
            return people.about(connection, owner, self._key_of(owner))

    def collections(self) -> list[str]:
        with self._reading() as connection:
            return people.collections(connection)

    def expired(
        self, *, enrolled_before: datetime | None, used_before: datetime | None, limit: int
    ) -> list[str]:
        with self._reading() as connection:
            return people.expired(connection, self._collection, enrolled_before, used_before, limit)

    def image(self, identity: str, reference_id: str) -> StoredImage | None:
        with self._reading() as connection:
            owner = queries.require_identity(connection, self._stored(identity))
            key = self._key_of(owner)
            return queries.read_image(connection, owner, key, reference_id)

    def owner_of(self, reference_id: str) -> str:
        with self._reading() as connection:
            return people.owner_of(connection, self._collection, reference_id)

    def delete_identity(self, identity: str) -> int:
        with self._writing() as connection:
            owner = queries.require_identity(connection, self._stored(identity), to_change=True)
            count = queries.count_references(connection, owner)
            connection.execute(delete(identities).where(identities.c.id == owner.number))
            note_change(connection, owner.number)
        self._erase(owner)
        return count

    def rename(self, identity: str, to: str) -> None:
        names = (self._stored(identity), self._stored(to))
        with self._writing() as connection:
            regrouping.rename_identity(connection, self.data_keys, *names)
        erase_deleted(self.engine)

    def merge(self, identity: str, into: str, *, limit: int) -> int:
        names = (self._stored(identity), self._stored(into))
        with self._writing() as connection:
            gone, moved = regrouping.merge_identities(
                connection, self.data_keys, *names, limit=limit
            )
        self._erase(gone)
        return moved

    def delete_reference(self, identity: str, reference_id: str) -> None:
        with self._writing() as connection:
            owner = queries.require_identity(connection, self._stored(identity), to_change=True)
            gone = connection.execute(
                delete(face_references).where(
                    face_references.c.identity_id == owner.number,
                    face_references.c.reference_id == queries.check_reference_id(reference_id),
                )
            )
            if gone.rowcount == 0:
                raise UnknownReference(queries.NO_REFERENCE)
            set_revision(connection, owner.number)
            was_last = queries.count_references(connection, owner) == 0
            if was_last:
                connection.execute(delete(identities).where(identities.c.id == owner.number))
        if was_last:
            self._erase(owner)
        else:
            erase_deleted(self.engine)

    def _key_of(self, owner: queries.Owner) -> DataKey:
        """Raises UnknownIdentity if it was deleted meanwhile."""
        key = self.data_keys.key(owner.key_id)
        if key is not None:
            return key
        with self._reading() as connection:
            now = queries.require_identity(connection, owner.name)
        if now.key_id != owner.key_id:  # deleted, and enrolled again
            raise UnknownIdentity(queries.NO_IDENTITY)
        raise DamagedData(KEY_GONE)

    def _erase(self, owner: queries.Owner) -> None:
        """Of an identity whose rows were deleted: its key, and the traces of both."""
        self.data_keys.destroy([owner.key_id])
        erase_deleted(self.engine)

    def wait_for_writers(self) -> None:
        """Returns when every transaction that was writing is over."""
        with self._writing() as connection:
            keep_writers_out(connection)

    def check(self) -> None:
        # Open connections keep reading a file that was deleted or replaced under
        # them: a new one tells what the next start would find.
        if not is_postgres(self.engine):
            self.engine.dispose()
        try:
            with self._reading() as connection:
                connection.execute(queries.SUMMARIES.limit(1)).all()
        except DBAPIError as error:
            raise NotReady("The storage cannot be read.") from error

    def close(self) -> None:
        """Ends the use of the store; the last to close it leaves no write-ahead log behind."""
        self.databases.close()
