"""Which module has a command is known without importing them all."""

from __future__ import annotations

import argparse
from importlib import import_module

import pytest

from service.commands.main import MODULES


@pytest.mark.parametrize("module", sorted(set(MODULES.values())))
def test_a_module_has_the_commands_that_are_said_to_be_there(module: str) -> None:
    commands = argparse.ArgumentParser().add_subparsers()
    import_module(f"service.commands.{module}").add_parser(commands)
    assert set(commands.choices) == {name for name, where in MODULES.items() if where == module}
