"""Chips for the siamese network from scratch, and pairs of them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from model.image import ImageError, Limits, decode
from model.types import AnyArray
from training.scratch.siamese import CHIP_SIZE
from training.scratch.types import Float


def read_chips(folder: Path) -> tuple[Float, AnyArray]:
    """All pictures of a folder of identities, shrunk to chips.

    Meant for faces that are cut out already, such as `prepare` makes; what is
    no picture is passed over.

    Returns:
        Chips (m, 32, 32, 3), each brought to mean 0 and deviation 1 so that
        brightness and contrast do not count, and the name of each one's subfolder (m,).

    Raises:
        ValueError: If there are not two identities, or none with two pictures.
    """
    chips, files = read_named_chips(folder)
    names = [file.split("/")[0] for file in files]
    _, counts = np.unique(names, return_counts=True)
    if len(counts) < 2 or counts.max() < 2:
        raise ValueError(
            f"expected two identities in '{folder.name}', one of them with two pictures, "
            f"found {len(chips)} pictures of {len(counts)}"
        )
    return chips, np.array(names)


def read_named_chips(folder: Path) -> tuple[Float, list[str]]:
    """As `read_chips`, but with each one's path below the folder; there may be none."""
    chips: list[Float] = []
    files: list[str] = []
    for path in sorted(folder.glob("*/*")):
        try:
            image = decode(path.read_bytes(), Limits())
        except (ImageError, IsADirectoryError):
            continue
        small = cv2.resize(image, CHIP_SIZE[1::-1], interpolation=cv2.INTER_AREA)
        chip = np.asarray(small, dtype=np.float64)
        # A flat picture has no deviation to divide by.
        chips.append((chip - chip.mean()) / max(float(chip.std()), 1.0))
        files.append(path.relative_to(folder).as_posix())
    return np.stack(chips) if chips else np.zeros((0, *CHIP_SIZE)), files


def draw_pairs(
    identities: AnyArray, count: int, generator: np.random.Generator
) -> tuple[AnyArray, AnyArray, Float]:
    """Rows of the first and second chip of each pair, and 1 where they are one person.

    Half of the pairs are of one person, and never a chip with itself.

    Args:
        identities: Who each chip shows. Shape (m,).
        count: Number of pairs.
    """
    _, who, counts = np.unique(identities, return_inverse=True, return_counts=True)
    several = np.flatnonzero(counts[who] > 1)
    same = (np.arange(count) % 2 == 0).astype(np.float64)
    one = np.where(same, generator.choice(several, count), generator.integers(0, len(who), count))
    other = []
    for row, alike in zip(one, same, strict=True):
        theirs = (who == who[row]) == bool(alike)
        theirs[row] = False
        other.append(generator.choice(np.flatnonzero(theirs)))
    return one, np.array(other), same


def draw_batch(identities: AnyArray, count: int, generator: np.random.Generator) -> AnyArray:
    """Rows of about `count` chips in which every person is there at least twice.

    Of as many people as that allows; the more people, the more strangers each
    chip is told apart from.

    Args:
        identities: Who each chip shows; somebody has two. Shape (m,).
        count: Chips, at least 4.
    """
    _, who, counts = np.unique(identities, return_inverse=True, return_counts=True)
    several = np.flatnonzero(counts > 1)
    people = generator.permutation(several)[: count // 2]
    each = count // len(people)
    return np.concatenate(
        [generator.permutation(np.flatnonzero(who == person))[:each] for person in people]
    )
