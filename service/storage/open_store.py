"""Opens the files of a store: makes them, migrates, encrypts, erases what was left behind."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from service.core.secrecy import Vault
from service.storage.data_keys import FILE_NAME as KEYS_NAME
from service.storage.data_keys import DataKeys
from service.storage.encrypt import encrypt_plain
from service.storage.engines import make_sqlite_file, sqlite_engine, use_write_ahead_log
from service.storage.erasure import empty_log
from service.storage.faults import translated
from service.storage.migrations import migrate
from service.storage.orphans import destroy_orphans
from service.storage.sql_store import SqlStore

DATABASE_NAME: Final = "semblance.sqlite3"


def open_store(data_dir: Path, vault: Vault) -> SqlStore:
    """A store in `data_dir`/semblance.sqlite3, made or brought up to date as needed.

    Several processes may open the same folder, also at once. A folder made here
    has mode 0700, a file 0600; what is there keeps its own. What an older version
    stored in clear is encrypted now, and its traces are erased.

    Raises:
        OSError: If the folder or the file cannot be made.
        NotReady: If the database cannot be used, or a newer version has used it.
        StorageFull: If the disk has no room for the tables.
        Overloaded: If another process keeps it locked.
        MasterKeyError: If what is stored is under another master key.
    """
    path = data_dir / DATABASE_NAME
    make_sqlite_file(path)
    engine = sqlite_engine(path)
    keys = None
    try:
        keys = DataKeys(data_dir / KEYS_NAME, vault)
        with translated():
            use_write_ahead_log(engine)
            migrate(engine)
            encrypt_plain(engine, keys)
            destroy_orphans(engine, keys)
            # A process that was killed may have left deleted rows in the log.
            empty_log(engine)
    except BaseException:
        engine.dispose()
        if keys is not None:
            keys.close()
        raise
    return SqlStore(engine, keys)
