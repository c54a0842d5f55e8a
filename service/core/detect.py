"""Detect: all faces of an image, with what each would be worth as a reference."""

from __future__ import annotations

from model.faces import Face
from model.image import Picture
from model.quality import measure, quality_chip
from model.sight import faces_of, first_view, sight_of
from service.core.core import Core
from service.core.presentation import judged
from service.core.results import Detection, FoundFace


def detect(core: Core, data: bytes) -> Detection:
    """All faces, the largest first. Raises ImageError."""
    with core.stopwatch() as watch:
        with watch.stage("decode"):
            picture = Picture(data, core.policy.limits)
            first_view(picture, core.detector)
        with watch.stage("detect"):
            faces = faces_of(picture, core.detector)
        with watch.stage("align"):
            found = tuple(_measured(core, picture, face) for face in faces)
    height, width = picture.size
    return Detection(found, width, height, watch.read_ms())


def _measured(core: Core, picture: Picture, face: Face) -> FoundFace:
    sight = sight_of(picture, face)
    height, width = picture.size
    quality = measure(face, quality_chip(sight.image, sight.face), picture.size)
    presentation = judged(core.presentation, sight.image, sight.face)
    return FoundFace(face, quality, width, height, presentation)
