"""Gives identities embeddings by another model: many workers at once, a batch at a time.

What is left to do is what the references themselves say, by their fingerprints: there
is no list and no mark. Whoever is killed, wherever, loses the batch it was at.

    claim   some identities with a reference by another model, all pictures kept
    make    their embeddings, by the caller
    flip    each whole identity at once, with a new revision, or not at all

On PostgreSQL the three are one transaction, and what it has claimed is passed over by
others (FOR UPDATE SKIP LOCKED). SQLite locks no rows: there the embeddings are made
outside of a transaction. In either, an identity is flipped only if its revision is the
one that was read; else somebody was faster, or changed it, and it is put off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, Engine, distinct, func, select

from model.types import Array
from service.core.errors import DamagedData
from service.core.ports import StoredImage
from service.storage import queries
from service.storage.census import SqlCensus
from service.storage.claims import Claim, claim, flip, is_old, unchanged
from service.storage.data_keys import KEY_GONE, DataKeys
from service.storage.engines import WRITES
from service.storage.faults import translated
from service.storage.sealing import Seal
from service.storage.tables import face_references, reference_images

Pictures = Iterator[StoredImage]
"""Of the references of one identity that are to be made again, read one at a time.

Raises UnknownIdentity or UnknownReference if one was deleted meanwhile, DamagedData if
one cannot be opened.
"""

Fault = Literal["damaged", "changed"]
"""Why there are no embeddings: a picture cannot be read, or was deleted meanwhile."""

Make = Callable[[Sequence[Pictures]], Sequence[Array | Fault]]
"""Embeddings, (M, D), of the M pictures of each identity."""


@dataclass(frozen=True)
class Batch:
    """What came of one.

    Attributes:
        position: Where to go on; None if there was nothing to claim.
        identities, references: That are by the new model now.
        damaged: Numbers of the identities with a picture that cannot be read.
        put_off: Identities that changed meanwhile.
    """

    position: int | None = None
    identities: int = 0
    references: int = 0
    damaged: tuple[int, ...] = ()
    put_off: int = 0


@dataclass(frozen=True)
class Left:
    """What is not by the new model.

    Attributes:
        without_picture: Identities that it cannot embed again, as a picture is missing.
    """

    identities: int
    references: int
    without_picture: int


class Reembedding:
    """The way of all references to one model; raises as `SqlStore` does.

    Args:
        fingerprint: Of that model.
    """

    def __init__(self, engine: Engine, data_keys: DataKeys, fingerprint: str) -> None:
        self._engine = engine
        self._writing_engine = engine.execution_options(**WRITES)
        self._locks_rows = engine.dialect.name == "postgresql"
        self._data_keys = data_keys
        self._census = SqlCensus(engine)
        self._fingerprint = fingerprint
        self._others: list[str] = []

    def count(self) -> int:
        """References by another model; quicker than `left`."""
        counts = self._census.counts()
        return sum(counts.values()) - counts.get(self._fingerprint, 0)

    def left(self) -> Left:
        owners = func.count(distinct(face_references.c.identity_id))
        old = is_old(self._fingerprint)
        pictures = face_references.outerjoin(reference_images)
        without = select(owners).select_from(pictures).where(old, reference_images.c.id.is_(None))
        with self._transaction(self._engine) as connection:
            people, count = connection.execute(select(owners, func.count()).where(old)).one()
            return Left(people, count, connection.execute(without).scalar_one())

    def are_left(self, numbers: Sequence[int]) -> int:
        """How many of these identities have a reference by another model."""
        owner = face_references.c.identity_id
        statement = select(func.count(distinct(owner))).where(
            owner.in_(numbers), is_old(self._fingerprint)
        )
        with self._transaction(self._engine) as connection:
            return connection.execute(statement).scalar_one()

    def extent(self) -> tuple[int, int]:
        """Lowest and highest place of a reference by another model; (0, 0) without any.

        Also looks which other models there are: to be called before the first `batch`.
        """
        self._others = [name for name in self._census.counts() if name != self._fingerprint]
        place = face_references.c.id
        ends = select(func.min(place), func.max(place)).where(
            face_references.c.fingerprint.in_(self._others)
        )
        with self._transaction(self._engine) as connection:
            low, high = connection.execute(ends).one()
        return low or 0, high or 0

    def batch(self, make: Make, *, after: int, until: int | None, limit: int) -> Batch:
        """Does up to `limit` identities.

        Args:
            make: Called once, unless there is nothing to do.
            after, until: Places of references between which to look; None for no end.
        """

        def claimed(connection: Connection) -> list[Claim]:
            return claim(
                connection,
                self._data_keys,
                self._fingerprint,
                self._others,
                after=after,
                until=until,
                limit=limit,
            )

        if self._locks_rows:
            with self._transaction(self._writing_engine) as connection:
                claims = claimed(connection)
                return self._flip(connection, claims, self._made(make, claims, connection))
        with self._transaction(self._engine) as connection:
            claims = claimed(connection)
        made = self._made(make, claims)
        if all(isinstance(one, str) for one in made):
            return _batch(claims, made)
        with self._transaction(self._writing_engine) as connection:
            return self._flip(connection, claims, made)

    def _made(
        self, make: Make, claims: Sequence[Claim], connection: Connection | None = None
    ) -> list[list[bytes] | Fault]:
        """Sealed embeddings of the references of each."""
        if not claims:
            return []
        made = make([self._pictures(one, connection) for one in claims])
        return [
            embeddings if isinstance(embeddings, str) else _sealed(one, embeddings)
            for one, embeddings in zip(claims, made, strict=True)
        ]

    def _pictures(self, one: Claim, connection: Connection | None) -> Pictures:
        if one.key is None:
            raise DamagedData(KEY_GONE)
        for _, reference_id in one.references:
            if connection is not None:
                found = queries.read_image(connection, one.owner, one.key, reference_id)
            else:
                with self._transaction(self._engine) as reading:
                    found = queries.read_image(reading, one.owner, one.key, reference_id)
            if found is None:
                raise DamagedData("a picture is gone")
            yield found

    def _flip(
        self, connection: Connection, claims: Sequence[Claim], made: Sequence[list[bytes] | Fault]
    ) -> Batch:
        sealed = {
            one.owner.number: embeddings
            for one, embeddings in zip(claims, made, strict=True)
            if not isinstance(embeddings, str)
        }
        done = unchanged(connection, [one for one in claims if one.owner.number in sealed])
        for one in done:
            flip(connection, self._fingerprint, one, sealed[one.owner.number])
        return _batch(claims, made, done)

    @contextmanager
    def _transaction(self, engine: Engine) -> Iterator[Connection]:
        with translated(), engine.begin() as connection:
            yield connection


def _sealed(one: Claim, embeddings: Array) -> list[bytes]:
    assert one.key is not None  # the pictures were opened by it
    return [
        Seal(one.key, one.owner.name, reference_id).embedding(embedding)
        for (_, reference_id), embedding in zip(one.references, embeddings, strict=True)
    ]


def _batch(
    claims: Sequence[Claim], made: Sequence[list[bytes] | Fault], done: Sequence[Claim] = ()
) -> Batch:
    damaged = tuple(
        one.owner.number for one, what in zip(claims, made, strict=True) if what == "damaged"
    )
    return Batch(
        position=claims[-1].place if claims else None,
        identities=len(done),
        references=sum(len(one.references) for one in done),
        damaged=damaged,
        put_off=len(claims) - len(done) - len(damaged),
    )
