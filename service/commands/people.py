"""`python -m service erase`, `export` and `retention`: one person's data, or all that is old."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

from service.commands.context import context
from service.commands.export_folder import export_all
from service.core.access import DEFAULT_COLLECTION, check_collection
from service.core.errors import InvalidRequest
from service.core.export import export_identity
from service.core.retention import erase_expired
from service.storage.orphans import destroy_orphans
from service.storage.traces import left_over, traces_of


def add_parser(commands: Any) -> None:
    erase = commands.add_parser("erase", help="erase all that is held on one person")
    erase.add_argument("identity")
    erase.add_argument("--collection", default=DEFAULT_COLLECTION)
    erase.add_argument(
        "--prove", action="store_true", help="look for what was stored in every file, and report"
    )
    erase.set_defaults(run=_erase)

    export = commands.add_parser(
        "export", help="all that is held on one person, as JSON; or stored pictures, as a folder"
    )
    export.add_argument("identity", nargs="?", help="only with --pictures it may be left out")
    export.add_argument("--collection", default=DEFAULT_COLLECTION)
    export.add_argument("--out", type=Path, help="a new file, mode 0600; else it is printed")
    export.add_argument(
        "--pictures",
        type=Path,
        metavar="FOLDER",
        help="write the stored pictures, of all without IDENTITY, into one folder an identity",
    )
    export.set_defaults(run=_export)

    retention = commands.add_parser("retention", help="erase those whose time is over, now")
    retention.set_defaults(run=_retention)


def _erase(chosen: argparse.Namespace) -> int:
    """Exit status 1 if anything is left."""
    collection = check_collection(chosen.collection)
    with context() as at_hand:
        store, data_dir = at_hand.store, at_hand.settings.data_dir
        if chosen.prove and at_hand.settings.database:
            raise InvalidRequest(
                "--prove looks into the files of the data folder; those of PostgreSQL are its "
                "server's. Without it the identity is erased, and its key with it"
            )
        traces = traces_of(store, collection, chosen.identity) if chosen.prove else None
        count = store.within(collection).delete_identity(chosen.identity)
        at_hand.record("erase", collection, subject=chosen.identity, details={"references": count})
    report: dict[str, object] = {
        "identity": chosen.identity,
        "collection": collection,
        "references_erased": count,
    }
    if traces is None:
        print(json.dumps(report))
        return 0
    left, searched = left_over(traces, data_dir)
    report |= {
        "pieces_looked_for": traces.count,
        "of": sorted(what for what, pieces in traces.pieces.items() if pieces),
        "files_searched": searched,
        "left_over": left,
    }
    print(json.dumps(report, indent=2))
    return 1 if left else 0


def _export(chosen: argparse.Namespace) -> int:
    collection = check_collection(chosen.collection)
    if chosen.pictures is not None:
        return _export_pictures(chosen, collection)
    if chosen.identity is None:
        raise InvalidRequest("name an identity, or a folder with --pictures")
    with context() as at_hand:
        store = at_hand.store.within(collection)
        content = export_identity(store, collection, chosen.identity)
        at_hand.record("export", collection, subject=chosen.identity)
    text = json.dumps(content, indent=2)
    if chosen.out is None:
        print(text)
        return 0
    handle = os.open(chosen.out, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    return 0


def _export_pictures(chosen: argparse.Namespace, collection: str) -> int:
    with context() as at_hand:

        def told(identity: str) -> None:
            at_hand.record("export", collection, subject=identity)

        store = at_hand.store.within(collection)
        written = export_all(store, chosen.pictures, chosen.identity, told)
    print(f"{written.pictures} pictures of {written.identities} identities: {chosen.pictures}")
    if written.without:
        print(f"of {written.without} references no picture is kept")
    return 0


def _retention(_chosen: argparse.Namespace) -> int:
    with context() as at_hand:
        store = at_hand.store

        def erase(collection: str, identity: str) -> None:
            store.within(collection).delete_identity(identity)
            at_hand.record("retention", collection, subject=identity)

        count = sum(1 for _ in erase_expired(store, at_hand.settings.policy(), erase))
        # Left by processes that were killed between an identity and its key.
        destroy_orphans(store.engine, store.data_keys, at_start=False)
    print(f"erased {count} identities")
    return 0
