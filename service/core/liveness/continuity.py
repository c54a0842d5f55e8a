"""One face, all the while, that moves as a head does.

What jumps from one frame to the next was cut, swapped or held in front of the camera. All
bounds are generous: people move quickly, and frames are dropped where a machine is busy.
"""

from __future__ import annotations

import math
from typing import Final

from model.faces import Face
from service.core.liveness.ending import Ended

MOST_GAP_S: Final = 2.0
"""Between two frames that were looked at; who is there afterwards is recognised at once."""
MOST_LOST_S: Final = 0.8
"""Without a face."""
SIMILAR_SIZE: Final = 0.4
"""Of another face's area to the largest: somebody in the background is smaller."""
_SEVERAL_FRAMES: Final = 2

# Of a face's width, and of its size as a logarithm: at once, and a second.
_MOVE: Final = (0.5, 4.0)
_GROWTH: Final = (math.log(1.25), 2.0)


class Continuity:
    """Holds each frame against the one before it.

    Args:
        at: When watching begins, in seconds that never go back.
    """

    def __init__(self, face: Face, at: float) -> None:
        self._face, self._seen_at, self._frame_at = face, at, at
        self._several = 0

    def lost(self, at: float) -> None:
        """A frame without a face. Raises Ended."""
        self._next_frame(at)
        if at - self._seen_at > MOST_LOST_S:
            raise Ended("lost_face")

    def seen(self, faces: tuple[Face, ...], at: float) -> None:
        """A frame with faces, the largest first. Raises Ended."""
        self._next_frame(at)
        if at - self._seen_at > MOST_GAP_S:
            raise Ended("lost_face")
        self._several = self._several + 1 if has_company(faces) else 0
        if self._several >= _SEVERAL_FRAMES:
            raise Ended("several_faces")
        since_s = at - self._seen_at
        before, now = self._face, faces[0]
        moved = math.dist(before.centre, now.centre) / max(before.width, 1.0)
        grown = abs(math.log(max(now.area, 1.0) / max(before.area, 1.0))) / 2
        if moved > _MOVE[0] + _MOVE[1] * since_s or grown > _GROWTH[0] + _GROWTH[1] * since_s:
            raise Ended("jumped")
        self._face, self._seen_at = now, at

    def _next_frame(self, at: float) -> None:
        if at - self._frame_at > MOST_GAP_S:
            raise Ended("frames")
        self._frame_at = at


def has_company(faces: tuple[Face, ...]) -> bool:
    """Whether somebody else is as near as the one of the largest face."""
    return len(faces) > 1 and faces[1].area > SIMILAR_SIZE * faces[0].area
