"""The commands of `python -m training`."""

from __future__ import annotations

import sys

import typer

from model.errors import SemblanceError
from model.runtimes.compiled import keep_compiled
from training.attributes.commands import register as register_attributes
from training.data.commands import register as register_data
from training.default_model import register as register_default_model
from training.embedding.commands import register as register_embedding
from training.evaluation.commands import register as register_evaluation
from training.fetch import cache_folder
from training.fitting.commands import register as register_fitting
from training.importing.commands import register as register_importing
from training.presentation.commands import register as register_presentation
from training.scratch.commands import register as register_scratch

# Of an artifact some seven; the largest has 150 MB.
_MOST_COMPILED = 20

app = typer.Typer(
    no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, help=__doc__
)
register_default_model(app)
register_data(app)
register_scratch(app)
register_embedding(app)
register_attributes(app)
register_fitting(app)
register_evaluation(app)
register_importing(app)
register_presentation(app)


def main() -> None:
    """Runs the command that the process was started with, and leaves with its exit status."""
    keep_compiled(cache_folder() / "compiled", _MOST_COMPILED)
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Runs a command; what was expected to go wrong is one line, not a traceback.

    Returns:
        The exit status: 0; 1 if it cannot be done; 2 if it was not understood.
    """
    try:
        app(arguments)
    except (SemblanceError, ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else 1
    return 0
