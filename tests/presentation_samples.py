"""Frames to train passive liveness on, rendered from the portraits that every machine can have."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from tests.faces import Faces

PORTRAITS = ("obama.jpg", "obama2.jpg", "obama3.jpg", "biden.jpg", "astronaut.png")


def write_people(folder: Path, faces: Faces, people: int, pictures: int) -> Path:
    """A folder of identities: portraits, cut, lit and mirrored in as many ways."""
    random = np.random.default_rng(5)
    for person in range(people):
        whole = cv2.imread(str(faces.folder / PORTRAITS[person % len(PORTRAITS)]))
        assert whole is not None
        target = folder / f"person {person}"
        target.mkdir(parents=True)
        for picture in range(pictures):
            height, width = whole.shape[:2]
            room_x, room_y = (int(side * random.uniform(0, 0.06)) for side in (width, height))
            cut = whole[room_y : height - room_y, room_x : width - room_x]
            if (person // len(PORTRAITS)) % 2:
                cut = cut[:, ::-1]
            lit = np.clip(cut * random.uniform(0.7, 1.15), 0, 255).astype(np.uint8)
            scale = 320 / max(lit.shape[:2])
            small = cv2.resize(lit, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            cv2.imwrite(str(target / f"{picture}.jpg"), small)
    return folder
