"""What can be measured of the face in a picture: pose, size, sharpness, light.

The numbers are those of the quality gate (`model.quality`), for the face that
training and the service's `faces=center` take: the one nearest the middle.

    yaw           (nose - middle of eyes and mouth) along the line of the eyes, by
                  half the distance of the eyes (or 0.3 of the distance from eyes to
                  mouth, if that is more); -1 .. 1. Positive: the nose points to the
                  image's right. It is no angle, but grows with it: on a rigid mean
                  face 0.21 at 15 degrees, 0.46 at 30, 0.79 at 45, 1 from about 55.
    pitch         the same upwards, between eyes and mouth; rough, for faces differ
    roll_degrees  slope of the line through the eyes
    eyes_px       distance between the eyes in pixels of the picture
    sharpness     variance of the Laplacian of the 112 x 112 chip
    brightness    mean luminance of the chip's middle, 0 .. 255
    confidence    the detector's
    visible       share of the face's place inside the picture
"""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import track

from model.faces import Detector, Face, nearest_centre
from model.image import ImageError, Limits, decode
from model.quality import measure, quality_chip
from model.types import Image
from training.data.chips import CHIPS
from training.data.errors import DataError, saying_disk_full
from training.data.prepare import SPLITS
from training.pictures import picture_names, warm_up

MEASURED = (
    "yaw",
    "pitch",
    "roll_degrees",
    "eyes_px",
    "sharpness",
    "brightness",
    "confidence",
    "visible",
)
COLUMNS = ("identity", "picture", *MEASURED)
_WORKERS = 2


@dataclass(frozen=True)
class Measured:
    """One picture.

    Attributes:
        picture: Path below the folder, such as "Aaron_Guiel/Aaron_Guiel_0001.jpg".
        values: By the names in MEASURED; None if there is no face.
    """

    picture: str
    values: dict[str, float] | None


def measure_folder(source: Path, detector: Detector, *, quiet: bool) -> list[Measured]:
    """Measures every picture of a folder of identities, or every chip that `prepare` made.

    Of a chip the light is that of its picture and the pose nearly so (yaw of 251 chips
    against their pictures: correlation 0.94), but not `eyes_px`, `roll_degrees` and
    `visible`: faces were turned and scaled onto it.

    Raises:
        DataError: If there is no picture, or one outside of the identities' folders.
    """
    prepared = (source / SPLITS).is_file() and (source / CHIPS).is_dir()
    folder = source / CHIPS if prepared else source
    return measure_pictures(folder, _names(folder, source.name), detector, quiet=quiet)


def measure_pictures(
    folder: Path, names: Sequence[str], detector: Detector, *, quiet: bool
) -> list[Measured]:
    """Measures pictures by their paths below a folder, in their order."""
    warm_up(detector)

    def one(name: str) -> Measured:
        return Measured(name, _values(folder / name, detector))

    with ThreadPoolExecutor(_WORKERS) as pool:
        done = pool.map(one, names)
        return list(track(done, f"measure {folder.name}", total=len(names), disable=quiet))


def values_of(image: Image, face: Face) -> dict[str, float]:
    """The numbers of one face, by the names in MEASURED.

    Args:
        image: RGB. Shape (H, W, 3), uint8.
        face: In pixels of `image`.
    """
    quality = measure(face, quality_chip(image, face), image.shape[:2])
    return {
        "yaw": quality.yaw,
        "pitch": quality.pitch,
        "roll_degrees": quality.roll_degrees,
        "eyes_px": eyes_px(face),
        "sharpness": quality.sharpness,
        "brightness": quality.brightness,
        "confidence": quality.confidence,
        "visible": quality.visible,
    }


def eyes_px(face: Face) -> float:
    """Distance between the eyes, in pixels of the face's image."""
    return float(np.linalg.norm(face.landmarks[1] - face.landmarks[0]))


def check_table_place(out: Path) -> None:
    """Raises DataError if something else than an earlier table is there."""
    header = ",".join(COLUMNS).encode()
    if out.is_dir() or (out.exists() and not out.read_bytes().startswith(header)):
        raise DataError(
            f"expected an earlier table or nothing at '{out.name}', found something else"
        )


def write_table(out: Path, measured: Sequence[Measured]) -> None:
    """Writes a CSV with a row for each picture, whole or not at all.

    Raises:
        DataError: If something else is there, or the disk is full.
    """
    check_table_place(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(prefix=f".{out.name}-", dir=out.parent)
    try:
        with saying_disk_full("nothing was written"):
            with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
                rows = csv.writer(file, lineterminator="\n")
                rows.writerow(COLUMNS)
                rows.writerows(_row(one) for one in measured)
            os.chmod(name, 0o644)
            os.replace(name, out)
    finally:
        Path(name).unlink(missing_ok=True)


def _row(one: Measured) -> list[str]:
    values = one.values or {}
    cells = [f"{values[name]:.6g}" if name in values else "" for name in MEASURED]
    return [one.picture.split("/")[0], one.picture, *cells]


def _values(path: Path, detector: Detector) -> dict[str, float] | None:
    try:
        image = decode(path.read_bytes(), Limits())
    except ImageError:
        return None
    faces = detector.detect(image)
    return values_of(image, nearest_centre(faces, image.shape[:2])) if faces else None


def _names(folder: Path, shown: str) -> list[str]:
    if not folder.is_dir():
        raise DataError(f"expected a folder of pictures, found none at '{shown}'")
    names = picture_names(folder)
    stray = next((name for name in names if "/" not in name), None)
    if stray is not None or not names:
        found = "no picture" if stray is None else f"'{stray}' outside of any"
        raise DataError(
            f"expected pictures in a folder of each identity in '{shown}', found {found}"
        )
    return names
