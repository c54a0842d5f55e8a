"""Holding still, and making the movement that was asked for.

Both are told of every frame how far the head is from where it was at the beginning, in steps: 1
of `yaw`, `pitch` or `scale` counts as the movement. Both raise `Ended` when it went wrong.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from service.core.liveness.challenges import SIDEWARDS, UP_OR_DOWN, Movement
from service.core.liveness.ending import Ended
from service.core.liveness.parallax import PITCH_STEP, YAW_STEP, Bearing

SCALE_STEP: Final = math.log(1.25)
"""A quarter larger, or smaller by as much."""
MOVE_S: Final = 4.0
HOLD_S: Final = 8.0
REACTION_S: Final = 0.15
"""Nobody answers what was said more quickly."""

_REST: Final = 0.5
_AT_REST_S: Final = 0.3
_TOO_SOON_HELD: Final = 0.9
_TOO_SOON_ASKED: Final = 0.8
_ON_ITS_WAY: Final = 0.15
_FRAMES: Final = 2
_WRONG: Final = 1.5
"""Heads do not move along one axis alone: who leans forward nods a little."""
_SQUEEZED: Final = 0.85
_HARDLY: Final = 0.4


@dataclass(frozen=True)
class Steps:
    """How far a head is from where it was; 1 counts as a movement.

    Attributes:
        yaw: Above 0 to the person's own left.
        pitch: Above 0 upwards.
        scale: Above 0 nearer.
        squeezed: As of `Bearing`.
    """

    yaw: float
    pitch: float
    scale: float
    squeezed: float

    @classmethod
    def of(cls, bearing: Bearing) -> Steps:
        return cls(
            bearing.yaw / YAW_STEP,
            bearing.pitch / PITCH_STEP,
            math.log(bearing.scale) / SCALE_STEP,
            bearing.squeezed,
        )

    def along(self, movement: Movement) -> float:
        """Above 0 if it is this way."""
        match movement:
            case "turn_left":
                return self.yaw
            case "turn_right":
                return -self.yaw
            case "look_up":
                return self.pitch
            case "look_down":
                return -self.pitch
            case "come_closer":
                return self.scale
            case "go_back":
                return -self.scale

    def besides(self, movement: Movement) -> float:
        """The farthest that it is in any other direction."""
        along = self.along(movement)
        ways = sorted((self.yaw, -self.yaw, self.pitch, -self.pitch, self.scale, -self.scale))
        ways.remove(along)
        return ways[-1]

    @property
    def farthest(self) -> float:
        return max(abs(self.yaw), abs(self.pitch), abs(self.scale))

    @property
    def is_turned(self) -> bool:
        return max(abs(self.yaw), abs(self.pitch)) > _REST


class Hold:
    """Back to where the head was, and still for a while.

    Args:
        wait_s: How long.
        said_at: When it was asked for, in seconds.
    """

    def __init__(self, wait_s: float, said_at: float) -> None:
        self._wait_s, self._said_at = wait_s, said_at
        self._since: float | None = None
        self._came_to_rest = False

    def see(self, steps: Steps | None, at: float) -> bool:
        """Whether it is done. Raises Ended."""
        if at - self._said_at > HOLD_S:
            raise Ended("timed_out")
        if steps is None:
            return False
        if steps.farthest > _REST:
            if self._came_to_rest and steps.farthest > _TOO_SOON_HELD:
                raise Ended("too_soon")
            self._since = None
            return False
        self._since = at if self._since is None else self._since
        self._came_to_rest |= at - self._since >= _AT_REST_S
        return at - self._since >= self._wait_s

    def progress(self, steps: Steps) -> float:
        """How near it is to where it was, in [0, 1]; not how long it still takes."""
        return max(0.0, 1 - max(0.0, steps.farthest - _REST))


class Move:
    """The movement itself: begun after it was said, seen on its way, and held for two frames."""

    def __init__(self, movement: Movement, said_at: float) -> None:
        self.movement = movement
        self._said_at = said_at
        self._reached = self._wrong = 0
        self._on_its_way = self._flat = False

    def see(self, steps: Steps | None, at: float) -> bool:
        """Whether it is done. Raises Ended."""
        since_s = at - self._said_at
        if since_s > MOVE_S:
            raise Ended("flat" if self._flat else "timed_out")
        if steps is None:
            return False
        if since_s < REACTION_S:
            # Such a frame was taken before anybody could know.
            if steps.farthest > _TOO_SOON_ASKED:
                raise Ended("too_soon")
            return False
        along, besides = steps.along(self.movement), steps.besides(self.movement)
        self._on_its_way |= _ON_ITS_WAY <= along < 1
        self._flat |= along < _HARDLY and self._looks_tilted(steps)
        self._reached = self._reached + 1 if along >= 1 else 0
        self._wrong = self._wrong + 1 if besides >= _WRONG and besides > along else 0
        if self._wrong >= _FRAMES:
            raise Ended("wrong_movement")
        return self._reached >= _FRAMES and self._on_its_way

    def progress(self, steps: Steps) -> float:
        return min(1.0, max(0.0, steps.along(self.movement)))

    def _looks_tilted(self, steps: Steps) -> bool:
        """Foreshortened as by a large turn, which the nose did not show."""
        if self.movement in SIDEWARDS:
            return steps.squeezed < _SQUEEZED
        return self.movement in UP_OR_DOWN and steps.squeezed > 1 / _SQUEEZED
