"""Pictures of any shape and any pixels, through all that looks for faces and cuts chips.

python -m tests.fuzz.pixels --seconds 600 --seed 1
"""

from __future__ import annotations

import random

import cv2
import numpy as np

from model.types import Image
from tests.faces import Faces
from tests.fuzz.command import command
from tests.pictures import encoded, rgb

_SIDES = (1, 2, 3, 7, 8, 31, 32, 33, 64, 100, 319, 320, 321, 639, 640, 641, 1000, 1281, 2000)
_MOST_PX = 900_000
_SAMPLES = 3


def samples(faces: Faces) -> dict[str, bytes]:
    """Faces that are found, to be bent."""
    names = ("astronaut.png", "obama.jpg", "biden.jpg")
    return {name: encoded(cv2.resize(rgb(faces.read(name)), (400, 400)), "BMP") for name in names}


def made(known: list[bytes], chance: random.Random) -> bytes:
    """A picture that no camera takes, as a JPEG, which has views, or as it is."""
    generator = np.random.default_rng(chance.randrange(1 << 32))
    pixels = _shape(chance, generator, known)
    kind = chance.choice(("JPEG", "BMP"))
    return encoded(np.ascontiguousarray(pixels), kind)


def _shape(chance: random.Random, generator: np.random.Generator, known: list[bytes]) -> Image:
    height, width = chance.choice(_SIDES), chance.choice(_SIDES)
    width = max(1, min(width, _MOST_PX // height))
    match chance.randrange(5):
        case 0:
            return generator.integers(0, 256, (height, width, 3), dtype=np.uint8)
        case 1:
            return np.full((height, width, 3), generator.integers(0, 256, 3), dtype=np.uint8)
        case 2:
            # Coarse noise: blobs, which a detector takes for faces sooner.
            coarse = generator.integers(0, 256, (9, 9, 3), dtype=np.uint8)
            return np.asarray(cv2.resize(coarse, (width, height)), np.uint8)
        case _:
            return _bent(rgb(chance.choice(known[:_SAMPLES])), (height, width), generator)


def _bent(face: Image, size: tuple[int, int], generator: np.random.Generator) -> Image:
    """A face turned, stretched, mirrored, cut off, brightened, with noise."""
    height, width = size
    source = np.array([[0, 0], [400, 0], [0, 400]], dtype=np.float32)
    scale = max(height, width) * generator.choice([0.2, 1, 1, 3])
    target = (source / 400 + generator.normal(0, 0.3, (3, 2))) * scale
    matrix = cv2.getAffineTransform(source, target.astype(np.float32))
    bent = cv2.warpAffine(face, matrix, (width, height), borderMode=int(generator.integers(0, 5)))
    lit = bent.astype(np.float32) * generator.uniform(0, 3) + generator.normal(0, 60)
    noise = generator.normal(0, generator.choice([0, 5, 80]), bent.shape)
    return np.asarray(np.clip(lit + noise, 0, 255), dtype=np.uint8)


if __name__ == "__main__":
    raise SystemExit(command("faces", samples, made))
