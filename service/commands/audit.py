"""`python -m service audit`: is the log whole, what is in it, and letting old rows go."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, TextIO

from service.commands.context import context
from service.core.access import DEFAULT_COLLECTION
from service.storage.audit_chain import Anchor, AnchorError, parse_anchor
from service.storage.audit_check import check
from service.storage.audit_export import Wanted, exported
from service.storage.audit_pruning import prune_before

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_MOMENT: Final = "such as 2026-01-31 or 2026-01-31T12:00:00+01:00; without a zone, UTC"


def add_parser(subparsers: Subparsers) -> None:
    """Adds `audit`. Each command's `run` takes the arguments."""
    audit = subparsers.add_parser("audit", help="check, export and prune the audit log")
    commands = audit.add_subparsers(required=True, metavar="COMMAND")

    verify = commands.add_parser("verify", help="is every row there, as it was written?")
    verify.add_argument(
        "--expect",
        type=_anchor,
        metavar="ANCHOR",
        help="what an earlier `audit verify` printed: finds a log put back to an older state",
    )
    verify.set_defaults(run=verify_log)

    export = commands.add_parser("export", help="the log as JSON lines")
    export.add_argument("--identity", metavar="NAME", help="an identity, also an erased one")
    export.add_argument("--collection", metavar="NAME")
    export.add_argument("--since", type=_moment, metavar="TIME", help=_MOMENT)
    export.add_argument("--until", type=_moment, metavar="TIME", help="before this moment")
    export.add_argument("--out", type=Path, metavar="FILE", help="a new file, mode 0600")
    export.set_defaults(run=export_log)

    prune = commands.add_parser("prune", help="delete old rows; the rest can still be verified")
    prune.add_argument("--before", type=_moment, metavar="TIME", required=True, help=_MOMENT)
    prune.set_defaults(run=prune_log)


def verify_log(arguments: argparse.Namespace) -> int:
    """0 if the log is as it was written, 1 and the first fault if not."""
    with context() as at_hand:
        opened = at_hand.opened
        verdict = check(opened.audit_engine, opened.audit_key, arguments.expect)
    rows = verdict.good.number - verdict.base.number
    if verdict.fault is not None:
        print(f"the audit log is NOT as it was written: {verdict.fault}")
        print(f"good up to there: {rows} rows")
        return 1
    pruned = f", after {verdict.base.number} that were pruned" if verdict.base.number else ""
    print(f"the audit log is as it was written: {rows} rows{pruned}")
    print(f"anchor: {verdict.good}")
    return 0


def export_log(arguments: argparse.Namespace) -> int:
    """Writes the rows that are wanted; that it was done is in the log, too."""
    with context() as at_hand, _output(arguments.out) as file:
        opened = at_hand.opened
        at_hand.record(
            "audit_export",
            arguments.collection or DEFAULT_COLLECTION,
            subject=arguments.identity,
        )
        wanted = Wanted(
            identity=arguments.identity,
            collection=arguments.collection,
            since=arguments.since,
            until=arguments.until,
        )
        rows = exported(opened.audit_engine, opened.audit_key, wanted, at_hand.enrolled())
        for row in rows:
            # What somebody has put there that is no JSON is shown all the same.
            file.write(json.dumps(row, default=repr) + "\n")
    return 0


def prune_log(arguments: argparse.Namespace) -> int:
    with context() as at_hand:
        opened = at_hand.opened
        gone = prune_before(opened.audit_engine, opened.audit_key, arguments.before)
    print(f"{gone} rows deleted")
    return 0


@contextmanager
def _output(path: Path | None) -> Iterator[TextIO]:
    """Standard output, or a file that was not there; it names people: for its owner alone."""
    if path is None:
        yield sys.stdout
        return
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        yield file


def _anchor(text: str) -> Anchor:
    try:
        return parse_anchor(text)
    except AnchorError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"not a time; {_MOMENT}") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)
