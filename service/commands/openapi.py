"""`python -m service openapi`: the API's specification, without a running service."""

from __future__ import annotations

import argparse
import json
from typing import Any

from service.app import create_app
from service.settings import Settings


def add_parser(commands: Any) -> None:
    """Adds the command."""
    parser = commands.add_parser("openapi", help="print the API's specification (OpenAPI, JSON)")
    parser.set_defaults(run=_print)


def specification() -> str:
    """The text of docs/openapi.json: of the settings as they come, whatever is set here."""
    app = create_app(Settings.model_construct())
    return json.dumps(app.openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _print(_: argparse.Namespace) -> int:
    print(specification(), end="")
    return 0
