"""Find faces in a picture, and pixels that show one large enough, decoding little.

The one way by which training and service come from a picture to a face, so that
both see the same pixels. A face is looked for in a view no larger than the detector's
farthest look needs. What is cut out later comes from that view, too, if it shows the
face so large that cutting shrinks it either way; else from a larger one.
docs/decisions/0013-scaled-decoding.md has the figures.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from model.alignment import similarity
from model.contract import Manifest
from model.faces import Detector, Face
from model.image import Picture
from model.landmarks import SECOND_LOOK
from model.templates import ARCFACE_112
from model.types import Array, Image

# From twice the chip's size on, `align` averages over areas before it interpolates: a
# chip from a view and one from the whole then come out of the same blur.
_OF_CHIP = 2.0
# The second look only places landmarks.
_OF_SECOND_LOOK = 1.25


@dataclass(frozen=True)
class Sight:
    """A face in pixels of the image beside it, RGB, shape (H, W, 3), uint8."""

    image: Image
    face: Face


def most_for(picture: Picture, detector: Detector) -> float:
    """By what the picture's sides may be divided for all looks of the detector."""
    return max(picture.size) / detector.farthest_px


def faces_of(picture: Picture, detector: Detector) -> list[Face]:
    """All faces, the largest first, in pixels of the whole picture.

    Raises:
        UndecodableImage: If the image is broken or cut off.
    """
    view = picture.view(most_for(picture, detector))
    faces = detector.detect(view.image)
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
    needs = [(ARCFACE_112, _OF_CHIP)]
    if manifest is not None:
        needs.append((manifest.template, _OF_CHIP))
        if manifest.landmarks == "second look":
            needs.append((SECOND_LOOK, _OF_SECOND_LOOK))
    try:
        scales = [
            margin * math.hypot(*similarity(landmarks, template)[0, :2])
            for template, margin in needs
        ]
    except ValueError:  # all landmarks in one point
        return 1.0
    return 1 / max(scales)
