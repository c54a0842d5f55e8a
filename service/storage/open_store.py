"""Opens a store: makes its tables, migrates, encrypts, erases what was left behind."""

from __future__ import annotations

from service.core.secrecy import Vault
from service.storage.data_keys import DataKeys
from service.storage.databases import Place, open_databases
from service.storage.encrypt import encrypt_plain
from service.storage.erasure import empty_log
from service.storage.faults import translated
from service.storage.migrations import migrate
from service.storage.orphans import destroy_orphans
from service.storage.sql_store import SqlStore


def open_store(place: Place, vault: Vault) -> SqlStore:
    """A store, made or brought up to date as needed.

    Several processes may open the same place, also at once. A folder made here
    has mode 0700, a file 0600; what is there keeps its own. What an older version
    stored in clear is encrypted now, and its traces are erased.

    Raises:
        OSError: If the folder or the file cannot be made.
        AddressError: If an address cannot be used.
        NotReady: If the database cannot be used, or a newer version has used it.
        StorageFull: If the disk has no room for the tables.
        Overloaded: If another process keeps it locked.
        MasterKeyError: If what is stored is under another master key.
    """
    databases = open_databases(place)
    try:
        keys = DataKeys(databases.keys, vault)
        with translated():
            migrate(databases.faces)
            encrypt_plain(databases.faces, keys)
            destroy_orphans(databases.faces, keys)
            # A process that was killed may have left deleted rows in the log.
            empty_log(databases.faces)
    except BaseException:
        databases.close()
        raise
    return SqlStore(databases, keys)
