"""The beginning: a face from the front that holds still, which all else is measured against."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from model import quality
from model.errors import SemblanceError
from model.faces import Face
from model.sight import sight_of
from model.types import Array, Image
from service.core.core import Core
from service.core.errors import LowQuality, SeveralFaces
from service.core.liveness.continuity import has_company
from service.core.liveness.parallax import Anchor
from service.core.liveness.person import Person, one_person
from service.core.perceive import Percept

START_S: Final = 15.0

_FRAMES: Final = 3
_MOST_FRAMES: Final = 60
_STILL: Final = 0.15
_STILL_GAP_S: Final = 1.0
_FRONT: Final = 0.5
_FRONT_PITCH: Final = 0.65
"""`Quality.pitch` of people who look straight ahead varies more, as do noses and cameras."""


@dataclass(frozen=True)
class Sighting:
    """The largest face of a frame, and pixels that show it.

    Attributes:
        image: RGB. Shape (H, W, 3), uint8.
        landmarks: In its pixels. Shape (5, 2).
        magnified: Of its pixels to those of the whole frame.
    """

    percept: Percept
    image: Image
    landmarks: Array
    magnified: float

    @classmethod
    def of(cls, core: Core, percept: Percept) -> Sighting:
        sight = sight_of(percept.picture, percept.face, core.model.manifest)
        magnified = sight.face.width / max(percept.face.width, 1e-6)
        return cls(percept, sight.image, sight.face.landmarks, magnified)

    @property
    def face(self) -> Face:
        return self.percept.face


class Start:
    """Looks for so many frames in a row that would do.

    Args:
        wait_s: How long the face has to hold still.
    """

    def __init__(self, core: Core, wait_s: float) -> None:
        self._core, self._wait_s = core, wait_s
        self._since: float | None = None
        self._chips: list[Image] = []
        # Of all the frames themselves one is enough.
        self._sharpest: Sighting | None = None
        self._face: Face | None = None
        self._at = -math.inf

    def lost(self) -> None:
        """A frame that would not do: those before it count no more."""
        self._since, self._sharpest = None, None
        self._chips.clear()

    def objection(self, sighting: Sighting) -> SemblanceError | None:
        """What is to be put right before it can begin."""
        percept = sighting.percept
        if has_company(percept.faces):
            return SeveralFaces("only one person may be in the picture")
        reasons = quality.reasons(percept.quality, "standard")
        if reasons:
            return LowQuality(f"the face cannot be seen well: {', '.join(reasons)}", reasons)
        measured = percept.quality
        if abs(measured.yaw) > _FRONT or abs(measured.pitch) > _FRONT_PITCH:
            return LowQuality("look straight at the camera", (quality.Reason.EXTREME_POSE,))
        return None

    def see(self, sighting: Sighting, at: float) -> tuple[Anchor, Person] | None:
        """What to measure against from now on; None if it has not begun yet.

        Args:
            sighting: That nothing is objected to.
        """
        if not self._is_still(sighting.face, at):
            self.lost()
        self._since = at if self._since is None else self._since
        self._chips = [*self._chips[-_MOST_FRAMES + 1 :], sighting.percept.chip]
        best = self._sharpest
        if best is None or best.percept.quality.sharpness < sighting.percept.quality.sharpness:
            best = self._sharpest = sighting
        if len(self._chips) < _FRAMES or at - self._since < self._wait_s:
            return None
        last = len(self._chips) - 1
        chosen = [self._chips[place] for place in (0, last // 2, last)]
        embeddings = self._core.model.embed(np.stack(chosen))
        if not one_person(self._core, embeddings):
            self.lost()
            return None
        try:
            anchor = Anchor(best.image, best.landmarks, best.magnified)
        except ValueError:  # all landmarks in one point
            self.lost()
            return None
        return anchor, Person(self._core, embeddings)

    def _is_still(self, face: Face, at: float) -> bool:
        """Whether it is where it was in the frame before."""
        before, self._face = self._face, face
        gap_s, self._at = at - self._at, at
        if before is None:
            return True
        moved = math.dist(before.centre, face.centre) / max(before.width, 1.0)
        return gap_s <= _STILL_GAP_S and moved <= _STILL
