"""The store over an SQL database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, delete, select, update
from sqlalchemy.exc import DBAPIError

from model.types import Array
from service.core.errors import NotReady, TooManyReferences, UnknownIdentity, UnknownReference
from service.core.ports import (
    EmbeddingPage,
    Enrolled,
    IdentitySummary,
    NewReference,
    Reference,
    StoredImage,
)
from service.storage import queries
from service.storage.engines import (
    WRITES,
    make_sqlite_file,
    sqlite_engine,
    use_write_ahead_log,
)
from service.storage.erasure import empty_log, erase_deleted
from service.storage.faults import translated
from service.storage.migrations import migrate
from service.storage.revisions import RevisionQuery, set_revision
from service.storage.tables import face_references, identities, reference_images


def open_store(data_dir: Path) -> SqlStore:
    """A store in `data_dir`/semblance.sqlite3, made or brought up to date as needed.

    Several processes may open the same folder, also at once. A folder made here
    has mode 0700, a file 0600; what is there keeps its own.

    Raises:
        OSError: If the folder or the file cannot be made.
        NotReady: If the database cannot be used, or a newer version has used it.
        StorageFull: If the disk has no room for the tables.
        Overloaded: If another process keeps it locked.
    """
    path = data_dir / "semblance.sqlite3"
    make_sqlite_file(path)
    engine = sqlite_engine(path)
    try:
        with translated():
            use_write_ahead_log(engine)
            migrate(engine)
            # A process that was killed may have left deleted rows in the log.
            empty_log(engine)
    except BaseException:
        engine.dispose()
        raise
    return SqlStore(engine)


class SqlStore:
    """`service.core.ports.Store` over a migrated database.

    Besides the errors in the port, any method raises Overloaded when others
    keep the database locked, and NotReady when it cannot be read or written.
    Deleting writes too, and so may raise StorageFull.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._writing_engine = engine.execution_options(**WRITES)
        self._revision_of = RevisionQuery(engine)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with translated(), self._writing_engine.begin() as connection:
            yield connection

    def enrol(
        self, identity: str, references: Sequence[NewReference], *, limit: int
    ) -> list[Enrolled]:
        if not references:
            return []
        created_at = datetime.now(UTC)
        with self._writing() as connection:
            owner = queries.find_identity(connection, identity)
            if owner is None:
                owner = queries.insert_identity(connection, identity, created_at)
            hashes = {new.content_hash for new in references}
            stored = queries.references_by_hash(connection, owner, hashes)
            fresh = len(hashes) - len(stored)
            if fresh and queries.count_references(connection, owner) + fresh > limit:
                raise TooManyReferences(f"An identity may have {limit} references, not more.")
            if fresh:
                set_revision(connection, owner)
            enrolled = []
            for new in references:
                duplicate = new.content_hash in stored
                if not duplicate:
                    stored[new.content_hash] = queries.insert_reference(
                        connection, owner, new, created_at
                    )
                enrolled.append(Enrolled(stored[new.content_hash], duplicate))
        return enrolled

    def revision(self, identity: str) -> int:
        with translated():
            found = self._revision_of(identity)
        if found is None:
            raise UnknownIdentity(queries.NO_IDENTITY)
        return found

    def references(self, identity: str) -> list[Reference]:
        with self._reading() as connection:
            found = queries.references_of(connection, identity)
        if not found:  # an identity without a reference is none
            raise UnknownIdentity(queries.NO_IDENTITY)
        return found

    def update_embedding(self, reference_id: str, embedding: Array, fingerprint: str) -> None:
        named = face_references.c.reference_id == reference_id
        with self._writing() as connection:
            owner = connection.scalar(select(face_references.c.identity_id).where(named))
            if owner is None:
                return
            connection.execute(
                update(face_references)
                .where(named)
                .values(embedding=embedding, fingerprint=fingerprint)
            )
            set_revision(connection, owner)

    def count(self) -> int:
        with self._reading() as connection:
            return queries.count_all(connection)

    def embeddings(self, fingerprint: str, *, after: int, limit: int) -> EmbeddingPage:
        with self._reading() as connection:
            return queries.embeddings_after(connection, fingerprint, after, limit)

    def summary(self, identity: str) -> IdentitySummary:
        with self._reading() as connection:
            row = connection.execute(
                queries.SUMMARIES.where(identities.c.name == identity)
            ).one_or_none()
        if row is None:
            raise UnknownIdentity(queries.NO_IDENTITY)
        return queries.to_summary(row)

    def identities(self, after: str | None, limit: int) -> list[IdentitySummary]:
        statement = queries.SUMMARIES.order_by(identities.c.name).limit(limit)
        if after is not None:
            statement = statement.where(identities.c.name > after)
        with self._reading() as connection:
            return [queries.to_summary(row) for row in connection.execute(statement)]

    def image(self, identity: str, reference_id: str) -> StoredImage | None:
        with self._reading() as connection:
            owner = queries.require_identity(connection, identity)
            row = connection.execute(
                select(
                    face_references.c.landmarks,
                    reference_images.c.media_type,
                    reference_images.c.data,
                )
                .select_from(face_references.outerjoin(reference_images))
                .where(
                    face_references.c.identity_id == owner,
                    face_references.c.reference_id == reference_id,
                )
            ).one_or_none()
        if row is None:
            raise UnknownReference(queries.NO_REFERENCE)
        if row.data is None:
            return None
        return StoredImage(data=row.data, media_type=row.media_type, landmarks=row.landmarks)

    def delete_identity(self, identity: str) -> int:
        with self._writing() as connection:
            owner = queries.require_identity(connection, identity)
            count = queries.count_references(connection, owner)
            connection.execute(delete(identities).where(identities.c.id == owner))
        erase_deleted(self._engine)
        return count

    def delete_reference(self, identity: str, reference_id: str) -> None:
        with self._writing() as connection:
            owner = queries.require_identity(connection, identity)
            gone = connection.execute(
                delete(face_references).where(
                    face_references.c.identity_id == owner,
                    face_references.c.reference_id == reference_id,
                )
            )
            if gone.rowcount == 0:
                raise UnknownReference(queries.NO_REFERENCE)
            set_revision(connection, owner)
            if queries.count_references(connection, owner) == 0:
                connection.execute(delete(identities).where(identities.c.id == owner))
        erase_deleted(self._engine)

    def check(self) -> None:
        # Open connections keep reading a file that was deleted or replaced under
        # them: a new one tells what the next start would find.
        self._engine.dispose()
        try:
            with self._reading() as connection:
                connection.execute(queries.SUMMARIES.limit(1)).all()
        except DBAPIError as error:
            raise NotReady("The storage cannot be read.") from error

    def close(self) -> None:
        """Ends the use of the store; the last to close it leaves one file behind."""
        self._engine.dispose()
