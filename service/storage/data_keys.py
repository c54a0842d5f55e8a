"""Keys in a file of their own: of identities and of the service, all wrapped.

Beside the database, not in it, so that a copy of the database is noise once the key
is gone: who deletes an identity destroys its key here, and its bytes in old backups
are dead. So this file is to be backed up as it is now, and older copies of it thrown
away, while copies of the database may be kept for as long as one likes.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    LargeBinary,
    MetaData,
    String,
    Table,
    delete,
    func,
    insert,
    inspect,
    select,
    update,
)

from service.core.errors import DamagedData
from service.core.secrecy import DataKey, MasterKeyError, Vault
from service.storage.engines import WRITES
from service.storage.erasure import erase_deleted
from service.storage.faults import translated
from service.storage.insertion import insertion
from service.storage.postgres import take_turns

KEY_GONE: Final = "the key of stored data is gone"
_MOST_HELD: Final = 4096
_HELD_S: Final = 300.0

metadata = MetaData()

data_keys = Table(
    "data_keys",
    metadata,
    Column("key_id", String(32), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)

service_keys = Table(
    "service_keys",
    metadata,
    Column("key_id", String(32), primary_key=True),
    Column("wrapped", LargeBinary, nullable=False),
)


class DataKeys:
    """The keys of the identities, and those of the service; any thread may use it.

    Unwrapped keys are held for some minutes, as galleries are.

    Args:
        engine: Of an existing database; its tables are made if they are not there. It
            is not closed here.
    """

    def __init__(self, engine: Engine, vault: Vault) -> None:
        self._vault = vault
        self._engine = engine
        self._held: OrderedDict[str, tuple[float, DataKey]] = OrderedDict()
        self._lock = threading.Lock()
        with translated():
            if not metadata.tables.keys() <= set(inspect(engine).get_table_names()):
                with self.alone() as connection:
                    metadata.create_all(connection)

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """A transaction that no other process is in at the same time."""
        with translated(), self._writing().begin() as connection:
            take_turns(connection)
            yield connection

    def make(self, key_id: str) -> DataKey:
        """A new key of an identity, stored under an id of `new_key_id`."""
        key, wrapped = self._vault.make(about_key(data_keys, key_id))
        with translated(), self._writing().begin() as connection:
            connection.execute(insert(data_keys).values(key_id=key_id, wrapped=wrapped))
        self._hold(key_id, key)
        return key

    def key(self, key_id: str) -> DataKey | None:
        """None if there is no such key."""
        return self.keys([key_id]).get(key_id)

    def keys(self, key_ids: Iterable[str]) -> dict[str, DataKey]:
        """Keys by their ids, those that there are.

        Raises:
            DamagedData: If one was changed, or is under a master key that is not known.
        """
        found, unreadable = self.readable(key_ids)
        for error in unreadable.values():
            raise DamagedData(str(error)) from error
        return found

    def readable(
        self, key_ids: Iterable[str]
    ) -> tuple[dict[str, DataKey], dict[str, MasterKeyError]]:
        """Keys by their ids, and what is wrong with those that cannot be unwrapped."""
        wanted = set(key_ids)
        found = {key_id: key for key_id in wanted if (key := self._held_key(key_id))}
        unreadable = {}
        for key_id, wrapped in self._wrapped(data_keys, wanted - found.keys()):
            try:
                found[key_id] = self._vault.unwrap(wrapped, about_key(data_keys, key_id))
            except MasterKeyError as error:
                unreadable[key_id] = error
            else:
                self._hold(key_id, found[key_id])
        return found, unreadable

    def wrapped(self, key_id: str) -> bytes:
        """As it is stored; empty if there is none."""
        return next((wrapped for _, wrapped in self._wrapped(data_keys, {key_id})), b"")

    def destroy(self, key_ids: Collection[str]) -> None:
        """Erases keys; what they encrypted can be read by nobody any more."""
        with self._lock:
            for key_id in key_ids:
                self._held.pop(key_id, None)
        with translated(), self._writing().begin() as connection:
            for key_id in key_ids:
                connection.execute(delete(data_keys).where(data_keys.c.key_id == key_id))
        erase_deleted(self._engine)

    def count(self) -> int:
        with translated(), self._engine.begin() as connection:
            return connection.execute(select(func.count()).select_from(data_keys)).scalar_one()

    def ids(self) -> set[str]:
        with translated(), self._engine.begin() as connection:
            return set(connection.scalars(select(data_keys.c.key_id)))

    def service_key(self, name: str) -> DataKey:
        """A key of the service itself; made at its first use.

        Raises:
            MasterKeyError: If it was wrapped by a master key that is not known.
        """
        about = about_key(service_keys, name)
        wanted = select(service_keys.c.wrapped).where(service_keys.c.key_id == name)
        with translated(), self._writing().begin() as connection:
            found = connection.scalar(wanted)
            if found is None:
                _, made = self._vault.make(about)
                connection.execute(
                    insertion(connection, service_keys)
                    .values(key_id=name, wrapped=made)
                    .on_conflict_do_nothing()
                )
                # Another process may have made it in the meantime.
                found = connection.scalar(wanted)
        assert found is not None
        return self._vault.unwrap(found, about)

    def service_key_names(self, prefix: str) -> list[str]:
        """Of the service's keys, those that begin so; in order."""
        column = service_keys.c.key_id
        wanted = select(column).where(column.startswith(prefix, autoescape=True)).order_by(column)
        with translated(), self._engine.begin() as connection:
            return list(connection.scalars(wanted))

    def forget_service_keys(self, names: Collection[str]) -> None:
        """Erases keys of the service itself."""
        with translated(), self._writing().begin() as connection:
            connection.execute(delete(service_keys).where(service_keys.c.key_id.in_(names)))
        erase_deleted(self._engine)

    def rewrap(self) -> int:
        """Wraps all keys under the newest master key; answers how many were not.

        One at a time, so that nobody waits for long; to be called again after a stop
        in the middle.

        Raises:
            DamagedData: If some cannot be unwrapped; all others are wrapped anew then.
        """
        count, damaged = 0, 0
        for table in (service_keys, data_keys):
            with translated(), self._engine.begin() as connection:
                rows = connection.execute(select(table.c.key_id, table.c.wrapped)).all()
            for key_id, wrapped in rows:
                try:
                    again = self._vault.rewrapped(wrapped, about_key(table, key_id))
                except MasterKeyError:
                    damaged += 1
                    continue
                if again is None:
                    continue
                with translated(), self._writing().begin() as connection:
                    # Not what was destroyed meanwhile.
                    changed = connection.execute(
                        update(table)
                        .where(table.c.key_id == key_id, table.c.wrapped == wrapped)
                        .values(wrapped=again)
                    )
                    count += changed.rowcount
        # What the old master key wrapped is not to be found any more.
        erase_deleted(self._engine)
        if damaged:
            raise DamagedData(
                f"{damaged} keys cannot be unwrapped, so the old master key is kept; {count} "
                "others were wrapped anew. Delete who answers damaged_data, and try again"
            )
        return count

    def _writing(self) -> Engine:
        return self._engine.execution_options(**WRITES)

    def _wrapped(self, table: Table, key_ids: set[str]) -> list[tuple[str, bytes]]:
        if not key_ids:
            return []
        wanted = select(table.c.key_id, table.c.wrapped).where(table.c.key_id.in_(key_ids))
        with translated(), self._engine.begin() as connection:
            return [(row.key_id, row.wrapped) for row in connection.execute(wanted)]

    def _held_key(self, key_id: str) -> DataKey | None:
        with self._lock:
            at, key = self._held.get(key_id, (0.0, None))
            return key if time.monotonic() - at < _HELD_S else None

    def _hold(self, key_id: str, key: DataKey) -> None:
        with self._lock:
            self._held[key_id] = (time.monotonic(), key)
            while len(self._held) > _MOST_HELD:
                self._held.popitem(last=False)


def about_key(table: Table, key_id: str) -> bytes:
    """What a wrapped key is for; it unwraps for nothing else."""
    return f"{table.name} {key_id}".encode()


def new_key_id() -> str:
    """32 hex digits that no key has."""
    return secrets.token_hex(16)
