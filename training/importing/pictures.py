"""The user's own pictures: who is in them, some real chips, and who is kept apart."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.artifact import Artifact
from model.chip import chip_of, located
from model.faces import Detector, nearest_centre
from model.image import ImageError, Limits, decode
from model.types import AnyArray, Image
from training.data.errors import DataError
from training.pictures import Embedded

FEWEST_IDENTITIES = 4
"""Two to fit on and two to measure on; far more are needed for rates worth having."""

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
_CHIPS = 16
_SEED = 1


@dataclass(frozen=True)
class Split:
    """Pictures by what they are for; no person is on both sides."""

    fit: Embedded
    measure: Embedded


def pictures_by_person(folder: Path) -> dict[str, list[Path]]:
    """The pictures of each identity, by its folder's name.

    Raises:
        DataError: If it is no folder of at least `FEWEST_IDENTITIES` identities.
    """
    if not folder.is_dir():
        raise DataError(
            f"expected a folder of identities in --data, found no folder at '{folder.name}'"
        )
    found: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.suffix.lower() in _SUFFIXES and len(parts) > 1:
            found.setdefault(parts[0], []).append(path)
    several = sum(len(paths) > 1 for paths in found.values())
    if several < FEWEST_IDENTITIES:
        raise DataError(
            f"expected {FEWEST_IDENTITIES} identities or more with two pictures each, a folder "
            f"each, in '{folder.name}'; found {several} (of {len(found)} folders)"
        )
    return found


def real_chips(people: dict[str, list[Path]], artifact: Artifact) -> Image:
    """A chip of each of up to 16 people, as the artifact aligns them. Shape (N, H, W, 3).

    Raises:
        DataError: If fewer than two faces are found.
    """
    detector, manifest = Detector(artifact.detector), artifact.manifest
    chips: list[Image] = []
    for paths in people.values():
        for path in paths[:3]:
            try:
                image = decode(path.read_bytes(), Limits())
            except ImageError:
                continue
            faces = detector.detect(image)
            if faces:
                face = nearest_centre(faces, image.shape[:2])
                face = located(detector, image, face, manifest)
                chips.append(chip_of(image, face, manifest))
                break
        if len(chips) == _CHIPS:
            break
    if len(chips) < 2:
        raise DataError(f"expected faces in the pictures, found {len(chips)}")
    return np.stack(chips)


def split(embedded: Embedded) -> Split:
    """Half of the people to fit the head on, the other half to measure on.

    Raises:
        DataError: If there are too few people with two pictures that show a face.
    """
    names, counts = np.unique(embedded.identities, return_counts=True)
    several = names[counts > 1]
    if len(several) < FEWEST_IDENTITIES:
        raise DataError(
            f"expected {FEWEST_IDENTITIES} identities or more with two faces each, found "
            f"{len(several)}; no face was found in {len(embedded.missed)} pictures"
        )
    # People of one picture give impostor pairs only: shared out after the others.
    generator = np.random.default_rng(_SEED)
    order = [*generator.permutation(several), *generator.permutation(names[counts == 1])]
    fit = np.isin(embedded.identities, order[::2])
    return Split(_only(embedded, fit), _only(embedded, ~fit))


def _only(embedded: Embedded, rows: AnyArray) -> Embedded:
    return Embedded(
        names=tuple(np.array(embedded.names)[rows].tolist()),
        identities=embedded.identities[rows],
        embeddings=embedded.embeddings[rows],
        missed=(),
    )
