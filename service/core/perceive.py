"""From image bytes to the one face that counts: decode, detect, choose, align."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from model.chip import chip_of, located
from model.faces import Face, nearest_centre
from model.image import Picture
from model.quality import Quality, measure, quality_chip
from model.sight import faces_of, first_view, sight_of
from model.types import Image
from service.core.errors import NoFace, SeveralFaces
from service.core.presentation import Presentation, judged
from service.core.results import FaceChoice, FoundFace
from service.core.stopwatch import Stopwatch

if TYPE_CHECKING:
    from service.core.core import Core


@dataclass(frozen=True)
class Percept:
    """The chosen face of an image, ready to embed.

    Attributes:
        picture: What it was found in.
        face: In pixels of the whole picture.
        chip: The aligned face. Shape of the model's input, uint8.
        faces: All that were found, the largest first.
    """

    picture: Picture
    face: Face
    chip: Image
    quality: Quality
    faces: tuple[Face, ...] = ()
    presentation: Presentation | None = None

    @property
    def found(self) -> FoundFace:
        height, width = self.picture.size
        return FoundFace(self.face, self.quality, width, height, self.presentation)


def perceive(
    core: Core, data: bytes, choice: FaceChoice, watch: Stopwatch, *, whole: bool = False
) -> Percept:
    """The face of an image.

    Args:
        whole: Decode all pixels, for one who keeps them; else as many as the face needs.

    Raises:
        ImageError: If the bytes cannot be used; see model.image.
        NoFace, SeveralFaces
    """
    with watch.stage("decode"):
        picture = Picture(data, core.policy.limits)
        if whole:
            picture.view(1)
        else:
            first_view(picture, core.detector, core.model.manifest)
    with watch.stage("detect"):
        faces = faces_of(picture, core.detector, core.model.manifest)
        face = choose(faces, choice, picture.size)
    return percept_of(core, picture, face, faces, watch)


def percept_of(
    core: Core, picture: Picture, face: Face, faces: Sequence[Face], watch: Stopwatch
) -> Percept:
    """One of the faces that were found in a picture, ready to embed."""
    with watch.stage("decode"):
        sight = sight_of(picture, face, core.model.manifest)
    with watch.stage("detect"):
        # What is kept and shown is the first look: the second starts from it again
        # whenever a model wants it.
        seen = located(core.detector, sight.image, sight.face, core.model.manifest)
    with watch.stage("align"):
        chip = chip_of(sight.image, seen, core.model.manifest)
        quality = measure(face, quality_chip(sight.image, sight.face), picture.size)
    presentation = None
    if core.presentation is not None:
        with watch.stage("presentation"):
            presentation = judged(core.presentation, sight.image, sight.face)
    return Percept(picture, face, chip, quality, tuple(faces), presentation)


def chip_by(core: Core, percept: Percept) -> Image:
    """The chip of a face that was perceived for another model, as this core's wants it."""
    manifest = core.model.manifest
    sight = sight_of(percept.picture, percept.face, manifest)
    return chip_of(sight.image, located(core.detector, sight.image, sight.face, manifest), manifest)


def choose(faces: list[Face], choice: FaceChoice, size: tuple[int, int]) -> Face:
    """The face to take of an image of (height, width). Raises NoFace or SeveralFaces."""
    if not faces:
        raise NoFace("no face was found in the image")
    if len(faces) > 1 and choice == "error":
        raise SeveralFaces(
            f"{len(faces)} faces were found; send a picture of one person, "
            "or choose with faces=largest or faces=center"
        )
    if choice == "center":
        return nearest_centre(faces, size)
    return max(faces, key=lambda face: face.area)
