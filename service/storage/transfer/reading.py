"""All rows of all parts as a stream, whole identity by whole identity.

    API keys and their use, the service's own keys
    again and again: the data keys of some identities, these, their references, their pictures
    the audit log's head, the audit log

So whoever reads the stream has the key of each sealed piece at hand, however long it is.
The same rows make the same stream: all is in order of primary keys, of the references
within an identity.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Select, Table, collate, func, select

from service.storage.audit_tables import audit_head, audit_log
from service.storage.data_keys import data_keys, service_keys
from service.storage.databases import Databases
from service.storage.faults import translated
from service.storage.postgres import is_postgres
from service.storage.tables import (
    api_keys,
    face_references,
    identities,
    key_usage,
    reference_images,
)
from service.storage.transfer.batches import Batch
from service.storage.transfer.moments import Parts

IDENTITIES: Final = 200
"""At once. Their keys and the ids of their references are held in memory."""

BATCH_BYTES: Final = 2**20
"""About as large is a batch; one row may be larger."""

_ROWS: Final = 500
# Of a reference, with an embedding of some hundred numbers.
_ROW_BYTES: Final = 2**11


class Keyless(NamedTuple):
    """An identity that is left out, since its key is gone: most likely it was erased."""

    number: int
    key_id: str | None


class Reading:
    """The stream, to be gone through once.

    Attributes:
        keyless: The identities that were left out so far.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.keyless: list[Keyless] = []

    def __iter__(self) -> Iterator[Batch]:
        """Raises as a store does."""
        with translated():
            faces = self._parts.faces
            yield from _rows(faces, api_keys, select(api_keys).order_by(api_keys.c.id))
            yield from _rows(faces, key_usage, _usage(faces))
            with self._parts.keys() as keys:
                found = sorted(keys.execute(select(service_keys)).all())
            yield Batch(service_keys, [tuple(row) for row in found])
            yield from self._identities()
            with self._parts.audit() as audit:
                for table, key in ((audit_head, "id"), (audit_log, "number")):
                    yield from _rows(audit, table, select(table).order_by(table.c[key]))

    def _identities(self) -> Iterator[Batch]:
        wanted = select(identities).order_by(identities.c.id).limit(IDENTITIES)
        page = self._parts.faces.execute(wanted).all()
        while page:
            wrapped = self._wrapped({row.data_key for row in page})
            self.keyless += [
                Keyless(row.id, row.data_key) for row in page if row.data_key not in wrapped
            ]
            there = [row for row in page if row.data_key in wrapped]
            yield Batch(data_keys, [(row.data_key, wrapped[row.data_key]) for row in there])
            yield Batch(identities, [tuple(row) for row in there])
            if there:
                yield from self._of_identities([row.id for row in there])
            page = self._parts.faces.execute(wanted.where(identities.c.id > page[-1].id)).all()

    def _of_identities(self, numbers: list[int]) -> Iterator[Batch]:
        faces, theirs = self._parts.faces, face_references.c.identity_id.in_(numbers)
        # Without what is large: sorted by the database, all of it would be in memory.
        found = faces.execute(
            select(face_references.c.identity_id, face_references.c.id).where(theirs)
        )
        order = [number for _, number in sorted(tuple(row) for row in found)]
        yield from _numbered(faces, face_references, [(number, _ROW_BYTES) for number in order])
        length = func.length(reference_images.c.data)
        lengths = faces.execute(
            select(reference_images.c.id, length).join(face_references).where(theirs)
        )
        sizes = {row[0]: row[1] for row in lengths}
        pictures = [(number, sizes[number]) for number in order if number in sizes]
        yield from _numbered(faces, reference_images, pictures)

    def _wrapped(self, key_ids: set[str | None]) -> dict[str | None, bytes]:
        wanted = select(data_keys).where(data_keys.c.key_id.in_(key_ids - {None}))
        with self._parts.keys() as keys:
            return {row.key_id: row.wrapped for row in keys.execute(wanted)}


def _usage(faces: Connection) -> Select[Any]:
    key_id: Any = key_usage.c.key_id
    if is_postgres(faces):
        # As SQLite orders it, in whatever language the database was made.
        key_id = collate(key_id, "C")
    return select(key_usage).order_by(key_id, key_usage.c.day)


def _rows(connection: Connection, table: Table, wanted: Select[Any]) -> Iterator[Batch]:
    """Of a table whose rows are small."""
    with connection.execute(wanted.execution_options(yield_per=_ROWS)) as found:
        for rows in found.partitions():
            yield Batch(table, [tuple(row) for row in rows])


def _numbered(
    connection: Connection, table: Table, wanted: Sequence[tuple[int, int]]
) -> Iterator[Batch]:
    """Rows by their numbers, in this order; with each goes about how large it is, in bytes."""
    chosen: list[int] = []
    size = 0
    for at, (number, row_bytes) in enumerate(wanted, 1):
        chosen.append(number)
        size += row_bytes
        if size >= BATCH_BYTES or len(chosen) == _ROWS or at == len(wanted):
            found = connection.execute(select(table).where(table.c.id.in_(chosen)))
            rows = {row.id: tuple(row) for row in found}
            yield Batch(table, [rows[number] for number in chosen])
            chosen, size = [], 0


def still_enrolled(databases: Databases, keyless: Sequence[Keyless]) -> list[str]:
    """Stored names of those of them that are there by now: their keys are lost, not erased."""
    names: list[str] = []
    for one in keyless:
        wanted = select(identities.c.name).where(
            identities.c.id == one.number, identities.c.data_key.is_not_distinct_from(one.key_id)
        )
        with translated(), databases.faces.begin() as connection:
            names += connection.scalars(wanted).all()
    return names
