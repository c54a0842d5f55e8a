"""What a command works with: the database and the keys, as the service has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import select

from service.core.audit import Action, AuditEntry, Detail
from service.core.errors import NotReady
from service.opening import Opened, opened
from service.settings import Settings, read_settings
from service.storage.databases import FACES_FILE
from service.storage.sql_store import SqlStore
from service.storage.tables import identities


@dataclass(frozen=True)
class Context:
    """Open files and what opens their contents. The service may run beside it."""

    settings: Settings
    opened: Opened

    @property
    def store(self) -> SqlStore:
        return self.opened.store

    def record(
        self,
        action: Action,
        collection: str,
        *,
        subject: str | None = None,
        details: Mapping[str, Detail] | None = None,
    ) -> None:
        """Puts on record what the command did; on the disk when this returns."""
        entry = AuditEntry(action, "ok", collection, subject=subject, details=details or {})
        self.opened.audit.record(entry, durable=True)

    def enrolled(self) -> Iterator[tuple[str, str]]:
        """Collection and name of each identity."""
        names = select(identities.c.name).execution_options(yield_per=1000)
        with self.store.engine.begin() as connection:
            for stored in connection.scalars(names):
                collection, _, name = stored.partition("/")
                yield collection, name


@contextmanager
def context(*, make: bool = False) -> Iterator[Context]:
    """The data folder that the settings name.

    Args:
        make: Whether there may be no database yet.

    Raises:
        SettingsError: If a setting cannot be used.
        NotReady: If there is no database in it: a command makes none, or a look into a
            wrong folder would find all well.
        MasterKeyError: If the master key cannot be read.
    """
    settings = read_settings()
    if not (make or settings.database or (settings.data_dir / FACES_FILE).is_file()):
        raise NotReady(
            f"there is no database in '{settings.data_dir}'; SEMBLANCE_DATA_DIR names its folder"
        )
    found = opened(settings, make_master_key=make)
    try:
        yield Context(settings, found)
    finally:
        found.close()
