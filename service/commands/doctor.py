"""`python -m service doctor`: is all there that the service needs, and what to do if not."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from model.errors import SemblanceError
from service.commands.checks import machine, model, network, storage
from service.commands.checks.finding import Check, Finding, fail, ok
from service.settings import SettingsError, read_settings
from service.version import VERSION

_CHECKS: Final[tuple[Check, ...]] = (
    *(model.check_artifact, model.check_runtime, model.check_presentation),
    *(storage.check_storage, storage.check_permissions),
    *(network.check_address, network.check_origins, network.check_database_line),
    network.check_service,
    *(machine.check_cpu, machine.check_memory, machine.check_disk),
    *(machine.check_open_files, machine.check_user),
)


def add_parser(commands: Any) -> None:
    parser = commands.add_parser("doctor", help="look for what is wrong, and say what to do")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.set_defaults(run=_doctor)


def _doctor(chosen: argparse.Namespace) -> int:
    """Exit status 1 if something must be put right before it runs well."""
    found = list(_findings())
    failed = sum(one.mark == "fail" for one in found)
    warned = sum(one.mark == "warn" for one in found)
    if chosen.json:
        content = {"version": VERSION, "failed": failed, "findings": [asdict(one) for one in found]}
        print(json.dumps(content, indent=2))
        return 1 if failed else 0
    width = max(len(one.about) for one in found)
    for one in found:
        print(f"{one.mark:4}  {one.about:{width}}  {one.said}")
        if one.todo:
            print(f"      {'':{width}}  -> {one.todo}")
    print(f"{len(found)} looked at: {failed} to put right, {warned} to think about")
    return 1 if failed else 0


def _findings() -> Iterator[Finding]:
    try:
        settings = read_settings()
    except SettingsError as error:
        yield fail("settings", str(error), "README, Settings")
        return
    yield ok("settings", "can be read")
    for check in _CHECKS:
        try:
            yield from check(settings)
        except (SemblanceError, OSError) as error:
            about = check.__name__.removeprefix("check_").replace("_", " ")
            yield fail(about, f"could not be looked at: {error}", "see docs/doctor.md")
