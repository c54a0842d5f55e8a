"""From image bytes to the one face that counts: decode, detect, choose, align."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from model.chip import chip_of, located
from model.faces import Face, nearest_centre
from model.image import decode
from model.quality import Quality, measure, quality_chip
from model.types import Image
from service.core.errors import NoFace, SeveralFaces
from service.core.results import FaceChoice, FoundFace
from service.core.stopwatch import Stopwatch

if TYPE_CHECKING:
    from service.core.core import Core


@dataclass(frozen=True)
class Percept:
    """The chosen face of an image, ready to embed.

    Attributes:
        image: Upright RGB. Shape (H, W, 3), uint8.
        chip: The aligned face. Shape of the model's input, uint8.
    """

    image: Image
    face: Face
    chip: Image
    quality: Quality

    @property
    def found(self) -> FoundFace:
        height, width = self.image.shape[:2]
        return FoundFace(self.face, self.quality, width, height)


def perceive(core: Core, data: bytes, choice: FaceChoice, watch: Stopwatch) -> Percept:
    """The face of an image.

    Raises:
        ImageError: If the bytes cannot be used; see model.image.
        NoFace, SeveralFaces
    """
    with watch.stage("decode"):
        image = decode(data, core.policy.limits)
    with watch.stage("detect"):
        face = choose(core.detector.detect(image), choice, image)
        # What is kept and shown is the first look: the second starts from it again
        # whenever a model wants it.
        seen = located(core.detector, image, face, core.model.manifest)
    with watch.stage("align"):
        chip = chip_of(image, seen, core.model.manifest)
        quality = measure(face, quality_chip(image, face), image.shape[:2])
    return Percept(image, face, chip, quality)


def choose(faces: list[Face], choice: FaceChoice, image: Image) -> Face:
    """The face to take. Raises NoFace or SeveralFaces."""
    if not faces:
        raise NoFace("no face was found in the image")
    if len(faces) > 1 and choice == "error":
        raise SeveralFaces(
            f"{len(faces)} faces were found; send a picture of one person, "
            "or choose with faces=largest or faces=center"
        )
    if choice == "center":
        return nearest_centre(faces, image.shape[:2])
    return max(faces, key=lambda face: face.area)
