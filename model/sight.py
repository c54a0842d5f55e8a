"""Find faces in a picture, and pixels that show one large enough, decoding little.

The one way by which training and service come from a picture to a face, so that
both see the same pixels. A face is looked for in a view no larger than the detector's
near look and the chip of a usual face need; a larger one is made for the far look, if
nothing was found, and for the chip of a face that is small in its picture.
docs/decisions/0013-scaled-decoding.md has the figures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from model.alignment import similarity
from model.contract import Manifest
from model.faces import Detector, Face
from model.image import Picture, View
from model.landmarks import SECOND_LOOK
from model.templates import ARCFACE_112
from model.types import Array, Image

# From twice the chip's size on, `align` averages over areas before it interpolates: a
# chip from a view and one from the whole then come out of the same blur.
_OF_CHIP = 2.0
# The second look only places landmarks.
_OF_SECOND_LOOK = 1.25

_USUAL_EYES = 0.08
"""Distance of the eyes in a picture of one person, as a share of its longer side; or more."""


@dataclass(frozen=True)
class Sight:
    """A face in pixels of the image beside it, RGB, shape (H, W, 3), uint8."""

    image: Image
    face: Face


def first_view(picture: Picture, detector: Detector, manifest: Manifest | None = None) -> View:
    """Where faces are looked for first; as a rule the only view that is decoded.

    Args:
        manifest: Of the model whose chip will be cut; None if only quality is measured.

    Raises:
        UndecodableImage: If the image is broken or cut off.
    """
    eyes_px = max(margin * _eyes_px(template) for template, margin in _needs(manifest))
    longest = min(eyes_px / _USUAL_EYES, detector.farthest_px)
    return picture.view(max(picture.size) / longest)


def faces_of(picture: Picture, detector: Detector, manifest: Manifest | None = None) -> list[Face]:
    """All faces, the largest first, in pixels of the whole picture.

    Args:
        manifest: As for `first_view`.

    Raises:
        UndecodableImage: If the image is broken or cut off.
    """
    view = first_view(picture, detector, manifest)
    faces = detector.detect_near(view.image)
    if not faces:
        view = picture.view(max(picture.size) / detector.farthest_px)
        faces = detector.detect_far(view.image)
    return faces if view.denominator == 1 else [face.moved(view.denominator) for face in faces]


def sight_of(picture: Picture, face: Face, manifest: Manifest | None = None) -> Sight:
    """A face as large as what is cut of it needs.

    Args:
        face: In pixels of the whole picture.
        manifest: Of the model whose chip is cut; None if only quality is measured.
    """
    view = picture.view(_most(face.landmarks, manifest))
    if view.denominator == 1:
        return Sight(view.image, face)
    # As `align` moves landmarks when it shrinks a large face: both chips lie alike.
    return Sight(view.image, face.moved(1 / view.denominator))


def _most(landmarks: Array, manifest: Manifest | None) -> float:
    """By what the picture's sides may be divided for this face."""
    try:
        scales = [
            margin * math.hypot(*similarity(landmarks, template)[0, :2])
            for template, margin in _needs(manifest)
        ]
    except ValueError:  # all landmarks in one point
        return 1.0
    return 1 / max(scales)


def _needs(manifest: Manifest | None) -> list[tuple[Array, float]]:
    """Templates that the face is turned onto, and how much larger a view shows it."""
    needs = [(ARCFACE_112, _OF_CHIP)]
    if manifest is not None:
        needs.append((manifest.template, _OF_CHIP))
        if manifest.landmarks == "second look":
            needs.append((SECOND_LOOK, _OF_SECOND_LOOK))
    return needs


def _eyes_px(landmarks: Array) -> float:
    return math.dist(landmarks[0].tolist(), landmarks[1].tolist())
