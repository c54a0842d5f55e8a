"""The commands of `python -m service`: all but the server itself."""

from __future__ import annotations

import argparse
import sys

from sqlalchemy.exc import SQLAlchemyError

from model.errors import SemblanceError
from service.commands import (
    audit,
    backup,
    doctor,
    importing,
    keys,
    migrate_store,
    openapi,
    people,
    reembed,
    report,
)


def run(arguments: list[str]) -> int:
    """Runs one command.

    Returns:
        The exit status: 0; 1 if what it looked at is not as it should be; 2 if it cannot
        be done.
    """
    parser = argparse.ArgumentParser(prog="python -m service", description=__doc__)
    parser.add_argument(
        "--insecure", action="store_true", help="start the server, and ask for no key"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    keys.add_parser(commands)
    people.add_parser(commands)
    importing.add_parser(commands)
    audit.add_parser(commands)
    reembed.add_parser(commands)
    backup.add_parsers(commands)
    migrate_store.add_parser(commands)
    report.add_parser(commands)
    doctor.add_parser(commands)
    openapi.add_parser(commands)
    chosen = parser.parse_args(arguments)
    try:
        status: int = chosen.run(chosen)
    except (SemblanceError, SQLAlchemyError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return status
