"""The commands of `python -m service`: all but the server itself."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from model.errors import SemblanceError

MODULES: Final = {
    "keys": "keys",
    "erase": "people",
    "export": "people",
    "retention": "people",
    "import": "importing",
    "audit": "audit",
    "reembed": "reembed",
    "backup": "backup",
    "restore": "backup",
    "migrate-store": "migrate_store",
    "report": "report",
    "doctor": "doctor",
    "openapi": "openapi",
}
"""Where each command is. Only the one that is asked for is imported: all take twice as long."""


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
    asked = {MODULES[word] for word in arguments[:1] if word in MODULES}
    for module in asked or dict.fromkeys(MODULES.values()):
        import_module(f"service.commands.{module}").add_parser(commands)
    chosen = parser.parse_args(arguments)
    try:
        status: int = chosen.run(chosen)
    except (SemblanceError, SQLAlchemyError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return status
