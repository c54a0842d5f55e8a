"""Spoilt files of every format, through all that reads them.

python -m tests.fuzz.decode --seconds 1800 --seed 1
"""

from __future__ import annotations

import random

from tests.fuzz.command import command
from tests.fuzz.corpus import samples
from tests.fuzz.mutate import spoilt

# Of the corpus as it was at the start: no format is forgotten for one that shows more.
_FRESH = 0.4
_FIRST = 20


def made(known: list[bytes], chance: random.Random) -> bytes:
    """One of the known files, spoilt."""
    of = known[:_FIRST] if chance.random() < _FRESH else known
    return spoilt(chance.choice(of), known, chance)


if __name__ == "__main__":
    raise SystemExit(command("decode", samples, made))
