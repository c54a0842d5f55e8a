"""A face that was found in a picture."""

from __future__ import annotations

from semblance_client.models.base import Model


class Box(Model):
    """Left, top, width and height; may reach outside the image."""

    x: float
    y: float
    width: float
    height: float


class Point(Model):
    x: float
    y: float


class Landmarks(Model):
    """Five points in pixels; right and left are the person's own."""

    right_eye: Point
    left_eye: Point
    nose: Point
    right_mouth: Point
    left_mouth: Point


class Quality(Model):
    """How good a reference this face would make, and the numbers behind it.

    Attributes:
        score: In [0, 1]; the weakest of the measures below.
        reasons: What the quality gate objects to; empty if nothing.
        yaw, pitch: In [-1, 1]; 0 is frontal.
    """

    score: float
    reasons: list[str]
    face_size_px: float
    confidence: float
    sharpness: float
    brightness: float
    contrast: float
    yaw: float
    pitch: float
    roll_degrees: float
    visible: float


class Presentation(Model):
    """Whether a face looks like a print or a screen: a flag, which changes no verdict."""

    attack: bool
    score: float
    measured_on: str


class Face(Model):
    """One face.

    Attributes:
        box: In pixels of the upright image.
        box_normalized: As shares of its width and height.
        presentation: None where the service has no such flag.
    """

    box: Box
    box_normalized: Box
    landmarks: Landmarks
    confidence: float
    quality: Quality
    presentation: Presentation | None


class Detection(Model):
    """All faces of a picture, the largest first."""

    faces: list[Face]
    width: int
    height: int
    timings_ms: dict[str, float]
