"""What a person is asked to do: movements that nobody knows beforehand, at times likewise.

Four movements of six, no two alike in a row, of which at least one is to the side and one up or
down, since only those tell a head from a photograph: 6 * 5^3 = 750 sequences, less the
108 + 108 - 2 without one of them, are 536. A film of an earlier session fits the next one once in
536 by its movements alone. Each movement is asked for after a wait of its own, so that the film
also has to begin each one after it was asked for and not before, four times: a film of the
same person fits by chance in less than one session of a thousand. After 5 sessions in vain
each further one has to wait, after 50 the identity is locked (`throttle`).
"""

from __future__ import annotations

import itertools
import secrets
from dataclasses import dataclass
from typing import Final, Literal, get_args

Movement = Literal["turn_left", "turn_right", "look_up", "look_down", "come_closer", "go_back"]
MOVEMENTS: Final[tuple[Movement, ...]] = get_args(Movement)
SIDEWARDS: Final[frozenset[Movement]] = frozenset({"turn_left", "turn_right"})
UP_OR_DOWN: Final[frozenset[Movement]] = frozenset({"look_up", "look_down"})

COUNT: Final = 4
_SHORTEST_WAIT_S: Final = 0.7
_LONGEST_WAIT_S: Final = 2.0


@dataclass(frozen=True)
class Challenge:
    """A movement, and how long to hold still before it is asked for."""

    movement: Movement
    wait_s: float


def random_challenges() -> tuple[Challenge, ...]:
    """Four, each sequence as likely as any other."""
    chosen = secrets.choice(sequences())
    spread = _LONGEST_WAIT_S - _SHORTEST_WAIT_S
    random = secrets.SystemRandom()
    return tuple(
        Challenge(movement, _SHORTEST_WAIT_S + spread * random.random()) for movement in chosen
    )


def sequences() -> list[tuple[Movement, ...]]:
    """All that may be asked for."""
    return [
        sequence
        for sequence in itertools.product(MOVEMENTS, repeat=COUNT)
        if all(one != other for one, other in itertools.pairwise(sequence))
        and not SIDEWARDS.isdisjoint(sequence)
        and not UP_OR_DOWN.isdisjoint(sequence)
    ]
