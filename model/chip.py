"""The chip of a face, as the model of an artifact wants it."""

from __future__ import annotations

from model.alignment import align
from model.contract import Manifest
from model.faces import Detector, Face
from model.landmarks import second_look
from model.types import Image


def located(detector: Detector, image: Image, face: Face, manifest: Manifest) -> Face:
    """The face with the landmarks that the model's chips are cut by.

    Args:
        image: RGB, the one the face was found in. Shape (H, W, 3), uint8.
        face: As the detector's first look found it.
    """
    return second_look(detector, image, face) if manifest.landmarks == "second look" else face


def chip_of(image: Image, face: Face, manifest: Manifest) -> Image:
    """The chip of a `located` face. Shape (*manifest.input_size, 3), uint8."""
    return align(
        image,
        face.landmarks,
        manifest.template,
        manifest.input_size,
        interpolation=manifest.interpolation,
    )
