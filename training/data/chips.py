"""Chips as PNG files, in the form that a tower takes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from PIL import Image as PillowImage

from model.alignment import align
from model.contract import Manifest
from model.faces import Face
from model.types import Array, Image
from training.data.errors import DataError
from training.data.look import read_image

CHIPS = "chips"
KOCH_SIDE_PX = 105


class Tower(StrEnum):
    """Which tower the chips are for."""

    SFACE = "sface"
    KOCH = "koch"


@dataclass(frozen=True)
class ChipForm:
    """Size (height, width) of a chip, and where the landmarks go in it. Shape (5, 2)."""

    size: tuple[int, int]
    template: Array


def chip_form(tower: Tower, manifest: Manifest) -> ChipForm:
    """The form of a tower's chips.

    For sface it is the artifact's own, 112 x 112. For koch it is 105 x 105 x 3,
    as in the paper, but aligned: the artifact's template scaled to 105. The paper
    resizes whole pictures; a chip of the face is what the service will see.

    Raises:
        DataError: If the artifact's chips are not cut by the detector's landmarks,
            as those of the towers that are trained here are.
    """
    if manifest.landmarks != "detector":
        raise DataError(
            "expected an artifact whose chips are cut by the detector's landmarks, such as the "
            f"fast profile's, found '{manifest.name}', which takes a {manifest.landmarks}"
        )
    if tower is Tower.SFACE:
        return ChipForm(manifest.input_size, manifest.template)
    height, width = manifest.input_size
    scale = (KOCH_SIDE_PX / width, KOCH_SIDE_PX / height)
    return ChipForm((KOCH_SIDE_PX, KOCH_SIDE_PX), (manifest.template * scale).astype("float32"))


def cut_chip(picture: Path, face: Face, form: ChipForm, out: Path) -> None:
    """Writes the chip of a face, whole or not at all.

    Raises:
        DataError: If the picture can no longer be read.
    """
    image = read_image(picture)
    if isinstance(image, str):
        raise DataError(f"'{picture.name}' changed while it was being prepared: {image}")
    write_png(out, align(image, face.landmarks, form.template, form.size))


def write_png(path: Path, pixels: Image) -> None:
    """Writes under another name first, so that a PNG under its name is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        PillowImage.fromarray(pixels).save(part, "PNG")
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
