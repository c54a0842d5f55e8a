"""Detect: all faces of an image, with what each would be worth as a reference."""

from __future__ import annotations

from model.image import decode
from model.quality import measure, quality_chip
from service.core.core import Core
from service.core.results import Detection, FoundFace
from service.core.stopwatch import Stopwatch


def detect(core: Core, data: bytes) -> Detection:
    """All faces, the largest first. Raises ImageError."""
    watch = Stopwatch()
    with watch.stage("decode"):
        image = decode(data, core.policy.limits)
    with watch.stage("detect"):
        faces = core.detector.detect(image)
    height, width = image.shape[:2]
    with watch.stage("align"):
        found = tuple(
            FoundFace(
                face, measure(face, quality_chip(image, face), (height, width)), width, height
            )
            for face in faces
        )
    return Detection(found, width, height, watch.read_ms())
