"""Opens what is stored, for the service and for its commands: keys, database, vault.

Beside `service.app` this alone knows storage and security both.
"""

from __future__ import annotations

import secrets
from contextlib import ExitStack
from dataclasses import dataclass

from sqlalchemy import Engine

from service.addresses import is_loopback
from service.core.access import Doorkeeper
from service.core.liveness.tickets import KEY_NAME as LIVENESS_KEY
from service.core.liveness.tickets import Tickets
from service.core.secrecy import DataKey
from service.security.admin_key import kept_admin_key, make_admin_key
from service.security.api_keys import Keys, any_good
from service.security.gate import Gate
from service.security.master_keys import FILE_NAME, KEY_BYTES, MasterKeys, MasterKeySource
from service.security.meter import Meter
from service.security.vault import AesDataKey, AesVault
from service.settings import Settings, SettingsError
from service.storage.audit_chain import KEY_NAME
from service.storage.audit_place import make_audit_tables
from service.storage.databases import Place
from service.storage.open_store import open_store
from service.storage.postgres import AddressError, postgres_url
from service.storage.spent import MemorySpent, SqlSpent
from service.storage.sql_audit import SqlAudit
from service.storage.sql_store import SqlStore


@dataclass(frozen=True)
class Opened:
    """What is stored, ready for use.

    Attributes:
        pepper: Whose digests the store has of API keys.
        audit: Every access is on record there.
        masters: Under which all of it is.
    """

    store: SqlStore
    pepper: DataKey
    audit_key: DataKey
    audit: SqlAudit
    masters: MasterKeys

    def close(self) -> None:
        """Writes what waits for the record; raises as `AuditLog.close`."""
        try:
            self.audit.close()
        finally:
            self.store.close()

    @property
    def audit_engine(self) -> Engine:
        return self.store.databases.audit


def opened(settings: Settings, *, make_master_key: bool = True) -> Opened:
    """Opens what the settings name, made or brought up to date as needed.

    Raises:
        SettingsError: If an address of a database cannot be used.
        MasterKeyError: If the master key cannot be had, or is another one.
        OSError, NotReady, StorageFull, Overloaded: As `open_store`.
    """
    return opened_at(place_of(settings), master_keys(settings, make=make_master_key))


def opened_at(place: Place, masters: MasterKeys) -> Opened:
    """As `opened`, of a place that no setting needs to name; raises the same."""
    with ExitStack() as stack:
        store = open_store(place, AesVault(masters))
        stack.callback(store.close)
        pepper = store.data_keys.service_key("api keys")
        audit_key = store.data_keys.service_key(KEY_NAME)
        make_audit_tables(store.databases.audit)
        audit = SqlAudit(store.databases.audit, audit_key)
        stack.pop_all()
    return Opened(store, pepper, audit_key, audit, masters)


def master_keys(settings: Settings, *, make: bool = True) -> MasterKeys:
    """Raises MasterKeyError if they cannot be had."""
    source = master_key_source(settings)
    return MasterKeys(lambda: source.read(make=make), source.version)


def place_of(settings: Settings) -> Place:
    """Where the settings have everything stored.

    Raises:
        SettingsError: If an address of a database cannot be used.
    """
    found = []
    for name in ("database", "keys_database"):
        secret = getattr(settings, name)
        address = secret.get_secret_value() if secret else None
        if address is not None:
            try:
                postgres_url(address)
            except AddressError as error:
                raise SettingsError(f"SEMBLANCE_{name.upper()} {error}") from error
        found.append(address)
    if found[1] and not found[0]:
        raise SettingsError("SEMBLANCE_KEYS_DATABASE goes with SEMBLANCE_DATABASE alone")
    return Place(settings.data_dir, *found)


def master_key_source(settings: Settings) -> MasterKeySource:
    return MasterKeySource(
        default_file=settings.data_dir / FILE_NAME,
        text=settings.master_key.get_secret_value() if settings.master_key else None,
        file=settings.master_key_file,
        command=settings.master_key_command,
    )


def gate_of(settings: Settings, found: Opened) -> Gate:
    """The keeper of the door; the first key is made where that is allowed.

    Raises:
        SettingsError: If there is no key, and none is to be made here.
        OSError: If it cannot be written.
    """
    keys = found.store.keys
    if not any_good(keys):
        wanted = settings.make_admin_key
        if not (is_loopback(settings.host) if wanted is None else wanted):
            raise SettingsError(
                f"nobody has a key yet, and {settings.host} is not this machine's own address: "
                "make one with `python -m service keys create --scope admin`, or start with "
                "--insecure, which lets everybody do everything"
            )
        # Several that start at once make one.
        with found.store.data_keys.alone():
            if not any_good(keys):
                make_admin_key(keys, found.pepper, settings.data_dir)
    return Gate(Keys(keys, found.pepper), Meter(keys))


def tickets_of(settings: Settings, found: Opened | None) -> Tickets:
    """Sessions and tokens of liveness; of this process alone where nothing is stored.

    Raises:
        MasterKeyError: If their key is under a master key that is not known.
    """
    if found is None:
        key: DataKey = AesDataKey(secrets.token_bytes(KEY_BYTES))
        return Tickets(key, MemorySpent(), settings.liveness_valid_s)
    key = found.store.data_keys.service_key(LIVENESS_KEY)
    return Tickets(key, SqlSpent(found.store.engine), settings.liveness_valid_s)


def page_key(settings: Settings, keeper: Doorkeeper | None) -> str | None:
    """The first key, if the page's address may be shown with it, as to who sits here."""
    shown = settings.make_admin_key or is_loopback(settings.host)
    return kept_admin_key(keeper, settings.data_dir) if keeper and shown else None
