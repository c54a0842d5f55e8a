"""`python -m service migrate-store`: all that is stored, from one database to another."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import inspect

from service.commands.transfer_reports import counted, print_faults, print_table, watched
from service.core.access import DEFAULT_COLLECTION
from service.core.audit import AuditEntry
from service.core.secrecy import DataKey
from service.opening import Opened, master_keys, opened_at, place_of
from service.security.vault import AesVault
from service.settings import Settings, read_settings
from service.storage.audit_place import make_audit_tables
from service.storage.data_keys import KEY_GONE
from service.storage.databases import FACES_FILE, Databases, Place, open_databases
from service.storage.faults import translated
from service.storage.open_store import open_store
from service.storage.postgres import AddressError, postgres_url
from service.storage.tables import identities
from service.storage.transfer.batches import TransferError
from service.storage.transfer.checking import Checker
from service.storage.transfer.moments import held
from service.storage.transfer.moving import Sums, move
from service.storage.transfer.reading import Reading, still_enrolled

_WHERE = "sqlite:FOLDER or postgresql://user@host/name; left out, the place of the settings"


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "migrate-store", help="move all that is stored to another database; stop the service first"
    )
    parser.add_argument("--from", dest="source", metavar="PLACE", help=_WHERE)
    parser.add_argument("--keys-from", metavar="ADDRESS", help="of the keys, where they are apart")
    parser.add_argument("--to", dest="target", metavar="PLACE", help=f"empty; {_WHERE}")
    parser.add_argument("--keys-to", metavar="ADDRESS", help="of the keys, if they are to be apart")
    parser.add_argument(
        "--despite-faults", action="store_true", help="also what is damaged, as it is"
    )
    parser.set_defaults(run=_migrate)


def _migrate(chosen: argparse.Namespace) -> int:
    """Exit status 1 if something is damaged and nothing was moved."""
    begun = time.monotonic()
    settings = read_settings()
    source_place = _place(chosen.source, chosen.keys_from, settings, "from")
    target_place = _place(chosen.target, chosen.keys_to, settings, "to")
    _check_places(source_place, target_place)
    masters = master_keys(settings, make=False)
    vault = AesVault(masters)
    with (
        closing(opened_at(source_place, masters)) as source,
        closing(open_store(target_place.patient(), vault)) as store,
    ):
        make_audit_tables(store.databases.audit)
        source.audit.record(AuditEntry("migrate_store", "ok", DEFAULT_COLLECTION), durable=True)
        checker = Checker(vault)
        try:
            sums = _moved(source, store.databases, checker, chosen.despite_faults)
        except _Damaged:
            print_faults(checker)
            print("nothing was moved; --despite-faults moves it as it is")
            return 1
    print_table(sums, compared="read back")
    print_faults(checker)
    print(
        f"all of it was moved, in {time.monotonic() - begun:.1f} s; start the service on the new "
        "place, with the same master key; the old one is as it was"
    )
    return 0


class _Damaged(TransferError):
    pass


def _moved(source: Opened, target: Databases, checker: Checker, despite_faults: bool) -> Sums:
    databases = source.store.databases
    with translated(), held(databases) as parts:
        reading = Reading(parts)

        def accept(came: Sums) -> tuple[DataKey, AuditEntry]:
            for name in still_enrolled(databases, reading.keyless):
                checker.tell(f"identity '{name}', which is left out: {KEY_GONE}")
            if checker.count and not despite_faults:
                raise _Damaged("something is damaged")
            entry = AuditEntry("migrate_store", "ok", DEFAULT_COLLECTION, details=counted(came))
            return source.audit_key, entry

        return move(watched(reading, "moving", checker), target, accept).sums


def _place(named: str | None, keys: str | None, settings: Settings, option: str) -> Place:
    """Raises TransferError, which shows no password."""
    if named is None:
        if keys is not None:
            raise TransferError(f"--keys-{option} goes with --{option}")
        return place_of(settings)
    kind, _, folder = named.partition(":")
    if kind == "sqlite":
        if keys is not None:
            raise TransferError(f"--keys-{option} is for PostgreSQL alone")
        return Place(Path(folder))
    addresses: Sequence[str] = [named] if keys is None else [named, keys]
    try:
        for address in addresses:
            postgres_url(address)
    except AddressError as error:
        raise TransferError(f"--{option} {error}; or give sqlite:FOLDER") from error
    return Place(settings.data_dir, *addresses)


def _check_places(source: Place, target: Place) -> None:
    """Raises TransferError if they are one, or nothing is stored in the first."""
    if _same(source) == _same(target):
        raise TransferError("--from and --to are the same place; the one left out is the settings'")
    if source.address is None:
        there = (source.data_dir / FACES_FILE).is_file()
    else:
        with translated(), closing(open_databases(source)) as databases:
            there = inspect(databases.faces).has_table(identities.name)
    if not there:
        raise TransferError(f"nothing is stored in {source.in_words}")


def _same(place: Place) -> object:
    if place.address is None:
        return place.data_dir.resolve()
    url = postgres_url(place.address)
    return url.host, url.port, url.database
