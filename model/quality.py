"""How good a reference a face would make, with the numbers behind the judgement.

Enrolment asks this gate; verification only reports it, since a probe that is
hard to see is decided by its score.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import cv2
import numpy as np

from model.alignment import align, similarity
from model.faces import Face
from model.templates import ARCFACE_112
from model.types import Image

_SIDE = 16
_STEPS = (np.arange(_SIDE, dtype=np.float32) + 0.5) / _SIDE * 112
_GRID = np.stack([np.tile(_STEPS, _SIDE), np.repeat(_STEPS, _SIDE)])
"""Points (x, y) all over a chip of 112 x 112, where it is asked what is visible. Shape (2, N)."""

Gate = Literal["off", "standard", "strict"]


class Reason(StrEnum):
    FACE_TOO_SMALL = "face_too_small"
    LOW_CONFIDENCE = "low_confidence"
    BLURRED = "blurred"
    TOO_DARK = "too_dark"
    TOO_BRIGHT = "too_bright"
    EXTREME_POSE = "extreme_pose"
    FACE_CUT_OFF = "face_cut_off"


@dataclass(frozen=True)
class Quality:
    """Measures of one face.

    Attributes:
        face_size_px: Shorter side of the box.
        confidence: The detector's.
        sharpness: Variance of the Laplacian of the chip's luminance.
        brightness: Mean luminance of the chip's middle, 0..255.
        contrast: Standard deviation of the same.
        yaw: Place of the nose between the eyes, -1 .. 1; 0 is frontal, positive
            when the nose points to the image's right.
        pitch: Place of the nose between eyes and mouth, -1 .. 1; 0 is frontal,
            positive when looking up.
        roll_degrees: Slope of the line through the eyes.
        visible: Share of the face's place inside the image.
    """

    face_size_px: float
    confidence: float
    sharpness: float
    brightness: float
    contrast: float
    yaw: float
    pitch: float
    roll_degrees: float
    visible: float

    @property
    def score(self) -> float:
        """The weakest measure against what is comfortable for it, in [0, 1]."""
        comfort = (
            self.face_size_px / 112,
            self.confidence,
            self.sharpness / 300,
            self.brightness / 90,
            (255 - self.brightness) / 60,
            1.25 - abs(self.yaw),
            1.25 - abs(self.pitch),
            self.visible,
        )
        return max(0.0, min(1.0, *comfort))


@dataclass(frozen=True)
class Bounds:
    """What a gate accepts; the attributes are those of `Quality`."""

    face_size_px: float
    confidence: float
    sharpness: float
    darkest: float
    brightest: float
    pose: float
    visible: float


BOUNDS: dict[Gate, Bounds] = {
    "standard": Bounds(40, 0.75, 25, 35, 230, 0.85, 0.80),
    "strict": Bounds(80, 0.85, 80, 60, 210, 0.50, 0.97),
}


def measure(face: Face, chip: Image, image_size: tuple[int, int]) -> Quality:
    """Measures a face.

    Args:
        face: In pixels of its image.
        chip: From `quality_chip`. Shape (112, 112, 3), uint8.
        image_size: (height, width) of the image.
    """
    grey = cv2.cvtColor(chip, cv2.COLOR_RGB2GRAY)
    height, width = grey.shape
    # The corners of a chip show background and hair.
    middle = grey[height // 5 : -(height // 8), width // 5 : -(width // 5)]
    # OpenCV's, which take a third of the time of numpy's.
    (brightness,), (contrast,) = cv2.meanStdDev(middle)
    _, (edges,) = cv2.meanStdDev(cv2.Laplacian(middle, cv2.CV_32F))
    yaw, pitch, roll = _pose(face)
    return Quality(
        face_size_px=min(face.width, face.height),
        confidence=face.confidence,
        sharpness=float(edges[0]) ** 2,
        brightness=float(brightness[0]),
        contrast=float(contrast[0]),
        yaw=yaw,
        pitch=pitch,
        roll_degrees=roll,
        visible=_visible(face, image_size),
    )


def quality_chip(image: Image, face: Face) -> Image:
    """The chip that a face is measured on, whatever the model's own. Shape (112, 112, 3)."""
    return align(image, face.landmarks, ARCFACE_112, (112, 112))


def reasons(quality: Quality, gate: Gate) -> tuple[Reason, ...]:
    """What the gate objects to; empty when the face is accepted."""
    if gate == "off":
        return ()
    bounds = BOUNDS[gate]
    objections = {
        Reason.FACE_TOO_SMALL: quality.face_size_px < bounds.face_size_px,
        Reason.LOW_CONFIDENCE: quality.confidence < bounds.confidence,
        Reason.BLURRED: quality.sharpness < bounds.sharpness,
        Reason.TOO_DARK: quality.brightness < bounds.darkest,
        Reason.TOO_BRIGHT: quality.brightness > bounds.brightest,
        Reason.EXTREME_POSE: max(abs(quality.yaw), abs(quality.pitch)) > bounds.pose,
        Reason.FACE_CUT_OFF: quality.visible < bounds.visible,
    }
    return tuple(reason for reason, objected in objections.items() if objected)


def _pose(face: Face) -> tuple[float, float, float]:
    """Yaw, pitch (-1 .. 1) and roll (degrees), from the five landmarks."""
    # As complex numbers, whose arithmetic is that of points.
    eye_r, eye_l, nose, mouth_r, mouth_l = (complex(x, y) for x, y in face.landmarks.tolist())
    eyes, mouth = (eye_r + eye_l) / 2, (mouth_r + mouth_l) / 2
    across, down = eye_l - eye_r, mouth - eyes
    roll = math.degrees(math.atan2(across.imag, across.real))
    # Half the larger of eye distance and face height: when the head turns, the
    # eye distance shrinks and the nose leaves the middle at the same time.
    half = max(abs(across), 0.6 * abs(down)) / 2 + 1e-6
    middle = (eyes + mouth) / 2
    yaw = _dot(nose - middle, across) / (abs(across) + 1e-6) / half
    # A frontal nose tip lies a little above the middle between eyes and mouth.
    along = _dot(nose - eyes, down) / (_dot(down, down) + 1e-6)
    pitch = (0.52 - along) / 0.45
    return _clip(yaw), _clip(pitch), roll


def _dot(one: complex, other: complex) -> float:
    return one.real * other.real + one.imag * other.imag


def _clip(value: float) -> float:
    return max(-1.0, min(1.0, value))


def _visible(face: Face, image_size: tuple[int, int]) -> float:
    """Share of the face's place that lies inside the image.

    Told from the landmarks: the detector's box of a cut-off face ends where the
    image does.
    """
    to_image = similarity(ARCFACE_112, face.landmarks)
    x, y = to_image[:, :2] @ _GRID + to_image[:, 2:]
    height, width = image_size
    return float(np.mean((x >= 0) & (x < width) & (y >= 0) & (y < height)))
