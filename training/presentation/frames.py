"""Frames of FOLDER/live and FOLDER/attack as crops, by the path that a request takes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from model.faces import Detector, nearest_centre
from model.image import ImageError, Limits, Picture
from model.presentation import context_crop
from model.sight import faces_of, sight_of
from model.types import AnyArray, Image
from training.data.errors import DataError
from training.pictures import picture_names
from training.presentation.simulate import ATTACK, LIVE

_PARTS: Final = 10
"""Tenths of the people: six to train on, two to choose the threshold by, two to measure on."""
_LAST_TRAINED, _LAST_CHOSEN = 5, 7


@dataclass(frozen=True)
class Frames:
    """Crops with what they show.

    Attributes:
        crops: Shape (N, S, S, 3), uint8.
        attack: Shape (N,).
        people: The subfolder of each. Length N.
        kinds: Of each attack, what stands before the first hyphen of its name; "live".
        missed: Names in which no face was found, or that are no image.
    """

    crops: Image
    attack: NDArray[np.bool_]
    people: tuple[str, ...]
    kinds: tuple[str, ...]
    missed: tuple[str, ...] = ()

    def of(self, rows: AnyArray) -> Frames:
        """Those rows alone."""
        picked = np.flatnonzero(rows)
        return Frames(
            self.crops[picked],
            self.attack[picked],
            tuple(self.people[row] for row in picked),
            tuple(self.kinds[row] for row in picked),
        )

    @property
    def person_count(self) -> int:
        return len(set(self.people))


def read_frames(folder: Path, detector: Detector, *, quiet: bool) -> Frames:
    """Every frame in which a face is found.

    Raises:
        DataError: If the folder is of another form, or holds only one of both.
    """
    for group in (LIVE, ATTACK):
        if not (folder / group).is_dir():
            raise DataError(f"expected '{LIVE}' and '{ATTACK}' in '{folder.name}', found others")
    crops, attack, people, kinds, missed = [], [], [], [], []
    for name in track(picture_names(folder), "look", disable=quiet):
        group, person, *rest = name.split("/")
        if group not in (LIVE, ATTACK):
            continue
        if not rest:
            raise DataError(f"expected a subfolder for each person in '{group}', found a picture")
        crop = _crop(folder / name, detector)
        if crop is None:
            missed.append(name)
            continue
        crops.append(crop)
        attack.append(group == ATTACK)
        people.append(person)
        kinds.append(LIVE if group == LIVE else rest[-1].split("-")[0].split(".")[0])
    if not any(attack) or all(attack):
        raise DataError("expected faces of live people and of attacks, found one of both at most")
    return Frames(np.stack(crops), np.array(attack), tuple(people), tuple(kinds), tuple(missed))


def split(frames: Frames) -> tuple[Frames, Frames, Frames]:
    """To train on, to choose the threshold by, to measure on: no person is in two of them.

    Raises:
        DataError: If one of the three lacks live people or attacks.
    """
    order = sorted(set(frames.people), key=lambda name: hashlib.sha256(name.encode()).digest())
    part = {name: number * _PARTS // len(order) for number, name in enumerate(order)}
    of_each = np.array([part[person] for person in frames.people])
    masks = (
        of_each <= _LAST_TRAINED,
        (of_each > _LAST_TRAINED) & (of_each <= _LAST_CHOSEN),
        of_each > _LAST_CHOSEN,
    )
    for mask in masks:
        if len(set(frames.attack[mask].tolist())) < 2:
            raise DataError(
                f"expected live frames and attacks of more people, found {len(order)} in all: "
                "some are trained on, others measured on"
            )
    train, choose, test = (frames.of(mask) for mask in masks)
    return train, choose, test


def _crop(path: Path, detector: Detector) -> Image | None:
    try:
        picture = Picture(path.read_bytes(), Limits())
        faces = faces_of(picture, detector)
        if not faces:
            return None
        sight = sight_of(picture, nearest_centre(faces, picture.size))
    except ImageError:
        return None
    return context_crop(sight.image, sight.face)
