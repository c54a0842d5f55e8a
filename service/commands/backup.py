"""`python -m service backup` and `restore`: all that is stored, as one encrypted file."""

from __future__ import annotations

import argparse
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from service.commands.backup_file import BackupFile, opened_backup, write_backup
from service.commands.context import context
from service.commands.transfer_reports import counted, print_faults, print_table, watched
from service.commands.whole_file import whole_file
from service.core.access import DEFAULT_COLLECTION
from service.core.audit import AuditEntry, Detail
from service.core.secrecy import DataKey
from service.opening import master_keys, place_of
from service.security.master_keys import MasterKeys
from service.security.sealed_file import SealedFileError
from service.security.vault import AesVault
from service.settings import Settings, read_settings
from service.storage.audit_place import make_audit_tables
from service.storage.data_keys import KEY_GONE
from service.storage.erasure import empty_log
from service.storage.faults import translated
from service.storage.open_store import open_store
from service.storage.transfer.batches import TransferError
from service.storage.transfer.checking import Checker
from service.storage.transfer.moments import moment
from service.storage.transfer.moving import Moved, Sums, move
from service.storage.transfer.reading import Reading, still_enrolled
from service.storage.transfer.rewrapping import rewrapped


def add_parser(commands: Any) -> None:
    backup = commands.add_parser(
        "backup", help="all that is stored, as one encrypted file; the service may run"
    )
    backup.add_argument("file", type=Path, help="a new file, mode 0600")
    backup.set_defaults(run=_backup)

    restore = commands.add_parser(
        "restore", help="a backup into the place that the settings name, which must be empty"
    )
    restore.add_argument("file", type=Path)
    restore.add_argument(
        "--check", action="store_true", help="look whether it could be restored, and write nothing"
    )
    restore.add_argument(
        "--despite-faults",
        action="store_true",
        help="also what was damaged already when the backup was made",
    )
    restore.set_defaults(run=_restore)


def _backup(chosen: argparse.Namespace) -> int:
    """Exit status 1 if it is made, and something in it is damaged."""
    begun = time.monotonic()
    with context() as at_hand:
        opened = at_hand.opened
        databases, vault = opened.store.databases, AesVault(opened.masters)
        checker = Checker(vault)
        try:
            with whole_file(chosen.file) as file:
                # Before it, as with any handing out: so it is in the backup, too.
                at_hand.record("backup", DEFAULT_COLLECTION)
                with translated(), moment(databases) as parts:
                    reading = Reading(parts)
                    stream = watched(rewrapped(reading, vault), "backup", checker)
                    sums = write_backup(file, stream, opened.masters)
        finally:
            # Who was deleted meanwhile is still in it.
            empty_log(databases.faces)
        for name in still_enrolled(databases, reading.keyless):
            checker.tell(f"identity '{name}', which is left out: {KEY_GONE}")
    print_table(sums)
    size_mb = chosen.file.stat().st_size / 1e6
    print(f"{chosen.file}: {size_mb:,.1f} MB in {time.monotonic() - begun:.1f} s")
    print_faults(checker)
    return 1 if checker.count else 0


def _restore(chosen: argparse.Namespace) -> int:
    """Exit status 1 if what is in the file was damaged already when it was made."""
    begun = time.monotonic()
    settings = read_settings()
    masters = master_keys(settings, make=False)
    with opened_backup(chosen.file, masters) as backup:
        try:
            sums, checker = _checked(backup, masters)
        except SealedFileError as error:
            raise SealedFileError(f"'{chosen.file}' cannot be used: {error}") from error
        print_faults(checker)
        if checker.count and not chosen.despite_faults:
            if not chosen.check:
                print("nothing was restored; --despite-faults restores it as it is")
            return 1
        moved = None
        if not chosen.check:
            moved = _written(settings, masters, backup, sums, checker)
    print_table(sums, compared=None if chosen.check else "read back")
    done = "can be restored" if chosen.check else "is restored"
    how = "as it is, with what is damaged" if checker.count else "every row was verified"
    print(f"{chosen.file} of {backup.header.at} {done}: {how}, in {time.monotonic() - begun:.1f} s")
    if moved and moved.log_went_on:
        print(
            "the audit log that was there goes on after the backup: `audit export --since "
            f"{backup.header.at}` names who was erased since, and is now there again"
        )
    return 0


def _checked(backup: BackupFile, masters: MasterKeys) -> tuple[Sums, Checker]:
    """Reads all of it once, so that a file that is not whole writes nothing."""
    checker = Checker(AesVault(masters))
    for _ in watched(backup, "check", checker):
        pass
    return backup.sums, checker


def _written(
    settings: Settings, masters: MasterKeys, backup: BackupFile, sums: Sums, checker: Checker
) -> Moved:
    def accept(came: Sums) -> tuple[DataKey, AuditEntry]:
        if came != sums or checker.audit_key is None:
            raise TransferError("the file was changed while it was read")
        details: dict[str, Detail] = {"backup_of": backup.header.at, **counted(came)}
        return checker.audit_key, AuditEntry("restore", "ok", DEFAULT_COLLECTION, details=details)

    with closing(open_store(place_of(settings).patient(), AesVault(masters))) as store:
        make_audit_tables(store.databases.audit)
        return move(watched(backup, "restore"), store.databases, accept)
