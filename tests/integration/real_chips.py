"""Chips of real faces for the tests of the model."""

from __future__ import annotations

import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from model.alignment import align
from model.artifact import Artifact
from model.chip import chip_of, located
from model.faces import Detector
from model.types import Image
from tests.faces import Faces, shared_data
from tests.pictures import rgb
from training.pictures import chip_in

NAMES = ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png")


def real_chips(source: str, faces: Faces, artifact: Artifact, count: int) -> Image:
    """Of the source "augmented" (portraits), or "celeba" where it is. Shape (count, H, W, 3)."""
    if source == "augmented":
        return augmented_chips(faces, artifact, count)
    shared = shared_data()
    if shared is None or not (shared / "celeba300.tar").is_file():
        pytest.skip("celeba300.tar is not on this machine; augmented portraits are tested instead")
    return celeba_chips(shared / "celeba300.tar", artifact, count)


def portrait_chips(faces: Faces, artifact: Artifact) -> Image:
    """One chip of each of `NAMES`: three of one man, one of another, one of a woman.

    Decoded as far as needed, as training and the service's probes are.
    """
    detector, manifest = Detector(artifact.detector), artifact.manifest
    chips = [chip_in(faces.folder, detector, manifest, name) for name in NAMES]
    found = [chip for chip in chips if chip is not None]
    assert len(found) == len(NAMES)
    return np.stack(found)


def augmented_chips(faces: Faces, artifact: Artifact, count: int) -> Image:
    """Chips of five portraits, shifted, turned, scaled, lit and blurred. Shape (count, H, W, 3)."""
    detector, manifest = Detector(artifact.detector), artifact.manifest
    found = []
    for name in NAMES:
        image = rgb(faces.read(name))
        face = located(detector, image, detector.detect(image)[0], manifest)
        found.append((image, face.landmarks))
    generator = np.random.default_rng(7)
    chips = []
    for number in range(count):
        image, marks = found[number % len(found)]
        centre = marks.mean(axis=0)
        angle, size = generator.uniform(-0.35, 0.35), generator.uniform(0.75, 1.3)
        turn = size * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        reach = np.abs(marks - centre).max()
        moved = (marks - centre) @ turn.T + centre + generator.normal(0, 0.1 * reach, 2)
        chip = align(image, moved.astype(np.float32), manifest.template, manifest.input_size)
        lit = np.clip(chip * generator.uniform(0.4, 1.4) + generator.uniform(-30, 30), 0, 255)
        if number % 4 == 3:
            lit = cv2.GaussianBlur(lit, (0, 0), generator.uniform(0.5, 2))
        chips.append(lit.astype(np.uint8))
    return np.stack(chips)


def celeba_chips(archive: Path, artifact: Artifact, count: int) -> Image:
    """The first `count` faces of celeba300.tar, no two of one person."""
    detector, manifest = Detector(artifact.detector), artifact.manifest
    chips, seen = [], set()
    with tarfile.open(archive) as packed:
        for member in packed:
            person = Path(member.name).parent.name
            if not member.isfile() or person in seen or not member.name.endswith(".jpg"):
                continue
            content = packed.extractfile(member)
            assert content is not None
            image = rgb(content.read())
            for face in detector.detect(image)[:1]:
                seen.add(person)
                chips.append(chip_of(image, located(detector, image, face, manifest), manifest))
            if len(chips) == count:
                break
    return np.stack(chips)
