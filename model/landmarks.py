"""Find a face's landmarks again, on the face turned upright and brought to one size.

The detector looks at a whole picture, where a face may be small, large or tilted,
and places its landmarks on a coarse grid. A second look at the face alone, upright
and as large as the detector sees best, places them where a chip cut by them is
recognised more often. The mirrored face is looked at, too, and the mean taken;
docs/decisions/0008-second-look.md has the figures.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from model.alignment import align, similarity
from model.faces import Detector, Face, nearest_centre
from model.templates import ARCFACE_112
from model.types import Array, Image

SIDE_PX = 320
EYES_PX = 80
"""Distance of the eyes in the second look's picture, for a face seen from the front."""

SECOND_LOOK: Array = (
    (ARCFACE_112 - ARCFACE_112.mean(axis=0))
    * (EYES_PX / float(np.linalg.norm(ARCFACE_112[1] - ARCFACE_112[0])))
    + SIDE_PX / 2
).astype(np.float32)
"""Where that look's picture has the landmarks. Shape (5, 2)."""

# right_eye, left_eye, nose, right_mouth, left_mouth, as the mirror names them.
_SWAPPED = (1, 0, 2, 4, 3)
_FLIP: Array = np.array([-1, 1], dtype=np.float32)
_EDGE: Array = np.array([SIDE_PX - 1, 0], dtype=np.float32)

# Landmarks in one point cannot be turned onto a template.
_SMALLEST_PX = 1e-3

# A second look that disagrees by more than this share of the eyes' distance has
# found another face, or half of one.
_FARTHEST = 0.4


def second_look(detector: Detector, image: Image, face: Face) -> Face:
    """The face with its landmarks found again; as it was if the second look fails.

    Args:
        image: RGB, the one the face was found in. Shape (H, W, 3), uint8.
    """
    if np.ptp(face.landmarks, axis=0).max() < _SMALLEST_PX:
        return face
    upright = align(image, face.landmarks, SECOND_LOOK, (SIDE_PX, SIDE_PX))
    there = similarity(face.landmarks, SECOND_LOOK)
    expected = _moved(face.landmarks, there)
    one, other = detector.look(np.stack([upright, cv2.flip(upright, 1)]))
    looks = [_middle(one), _mirrored(_middle(other))]
    again = [look for look in looks if look is not None and _near(look, expected)]
    if not again:
        return face
    return replace(face, landmarks=_moved(np.mean(again, axis=0), _inverse(there)))


def _middle(faces: list[Face]) -> Array | None:
    """Landmarks of the face in the middle. Shape (5, 2); None if none is seen."""
    return nearest_centre(faces, (SIDE_PX, SIDE_PX)).landmarks if faces else None


def _mirrored(landmarks: Array | None) -> Array | None:
    """Landmarks of the mirrored picture in the picture itself: left is right there."""
    if landmarks is None:
        return None
    return landmarks[list(_SWAPPED)] * _FLIP + _EDGE


def _near(landmarks: Array, expected: Array) -> bool:
    moved = float(np.linalg.norm(landmarks - expected, axis=1).mean())
    return moved <= _FARTHEST * EYES_PX


def _moved(points: Array, matrix: Array) -> Array:
    return np.asarray(points @ matrix[:, :2].T + matrix[:, 2], dtype=np.float32)


def _inverse(matrix: Array) -> Array:
    turn = np.linalg.inv(matrix[:, :2].astype(np.float64))
    return np.concatenate([turn, -turn @ matrix[:, 2:]], axis=1)
