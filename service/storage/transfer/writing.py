"""Writes a stream into an empty place: all of it, or nothing that anybody would take for it.

One transaction for each database, committed in the order keys, audit log, faces. Only
SQLite's files, and PostgreSQL with keys in a database of their own, have several; broken
off between two commits they leave a place without identities, into which the same can be
written again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, insert, select, text

from service.core.audit import AuditEntry
from service.core.secrecy import DataKey
from service.storage.audit_chain import to_row
from service.storage.audit_rows import append
from service.storage.audit_tables import audit_head, audit_log
from service.storage.data_keys import data_keys, service_keys
from service.storage.databases import Databases
from service.storage.engines import WRITES
from service.storage.postgres import is_postgres, keep_writers_out, take_turns
from service.storage.tables import api_keys, face_references, identities
from service.storage.transfer.audit_merging import AuditMerge
from service.storage.transfer.batches import Batch, TransferError
from service.storage.transfer.moments import Parts, take_your_time

_NOT_EMPTY = (
    "there are {} in that place already, and nothing is put over them; name an empty one, or "
    "put it away"
)


@dataclass(frozen=True)
class Target:
    """An empty place that is being written, alone.

    Attributes:
        audit: What becomes of the log that comes.
    """

    _faces: Connection
    _keys: Connection
    _audit: Connection
    audit: AuditMerge

    def write(self, batch: Batch) -> None:
        """Raises TransferError if the audit log does not fit the one that is there."""
        if batch.table is audit_head:
            for row in batch.rows:
                self.audit.head(row)
        elif batch.table is audit_log:
            self.audit.rows(list(batch.rows))
        elif batch.rows:
            names = [column.name for column in batch.table.columns]
            connection = self._keys if batch.table in (data_keys, service_keys) else self._faces
            connection.execute(
                insert(batch.table), [dict(zip(names, row, strict=True)) for row in batch.rows]
            )

    def parts(self) -> Parts:
        """To read back what was written, before it is committed."""
        return Parts.within(self._faces, self._keys, self._audit)

    def record(self, key: DataKey, entry: AuditEntry) -> None:
        """Adds an entry behind the last of the log."""
        append(self._audit, key, [to_row(key, entry)])


@contextmanager
def target(databases: Databases) -> Iterator[Target]:
    """Commits at the end; at an error nothing was written.

    Raises:
        TransferError: If there are identities or API keys, or an audit log without head.
        Overloaded: If somebody else writes there and does not end.
    """
    with ExitStack() as stack:
        begun: dict[Engine, Connection] = {}
        # The first that is begun is the last that is committed.
        for engine in (databases.faces, databases.audit, databases.keys):
            if engine not in begun:
                begun[engine] = stack.enter_context(engine.execution_options(**WRITES).begin())
                take_turns(begun[engine])
                take_your_time(begun[engine])
        faces, keys, audit = (
            begun[engine] for engine in (databases.faces, databases.keys, databases.audit)
        )
        keep_writers_out(faces)
        if is_postgres(faces):
            faces.execute(text("LOCK TABLE api_keys IN SHARE ROW EXCLUSIVE MODE"))
        for table, name in ((identities, "identities"), (api_keys, "API keys")):
            if faces.scalar(select(table.c.id).limit(1)) is not None:
                raise TransferError(_NOT_EMPTY.format(name))
        # They are nobody's: of one that was broken off, or made at a start.
        for table in (data_keys, service_keys):
            keys.execute(delete(table))
        yield Target(faces, keys, audit, AuditMerge(audit))
        if is_postgres(faces):
            for table in (identities, face_references, api_keys):
                _count_on(faces, table.name)


def _count_on(connection: Connection, table: str) -> None:
    """Lets PostgreSQL number new rows behind those that came with their numbers."""
    connection.execute(
        text(
            f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), "  # noqa: S608
            f"coalesce(max(id), 1), max(id) IS NOT NULL) FROM {table}"
        )
    )
