"""What each step of a face costs: measured in turn, so that a busy moment hits all."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from bench.variants_features import Crop, Found, chip, face_of
from bench.variants_networks import DLIB_IN_CHIP, SFACE_ALONE, Networks
from bench.variants_table import Variant
from model.faces import Detector, Face
from model.landmarks import second_look
from model.types import Image

_ROUNDS = 60
_MOST_CROPS = 3
FIRST, SECOND, CUT = "first look", "second look", "cut a chip"


def measure_steps(found: Found, networks: Networks, detector: Detector) -> dict[str, float]:
    """Medians in ms: the looks, a cut, and passes of 1 .. 3 windows through each network."""
    spent: dict[str, list[float]] = {}
    for number in range(_ROUNDS):
        row = number % len(found.names)
        for name, step in _steps(found.image(row), face_of(found, row), networks, detector):
            begun = time.perf_counter()
            step()
            spent.setdefault(name, []).append((time.perf_counter() - begun) * 1000)
    return {name: statistics.median(values) for name, values in spent.items()}


def _steps(
    image: Image, face: Face, networks: Networks, detector: Detector
) -> Iterator[tuple[str, Callable[[], object]]]:
    yield FIRST, partial(detector.detect, image)
    yield SECOND, partial(second_look, detector, image, face)
    yield CUT, partial(chip, Crop(DLIB_IN_CHIP), networks[DLIB_IN_CHIP], image, face.landmarks)
    for name in (SFACE_ALONE, DLIB_IN_CHIP):
        network = networks[name]
        window = network.window(chip(Crop(name), network, image, face.landmarks)[None])
        for crops in range(1, _MOST_CROPS + 1):
            windows = np.repeat(window, crops, axis=0)
            yield f"{_base(name)} x {crops}", partial(network.pass_through, windows)


def milliseconds(variant: Variant, steps: dict[str, float]) -> float:
    """Of one face by a variant: the looks, the cuts and the networks.

    Windows of one chip are cut once; the arithmetic on embeddings is left out.
    """
    total = steps[FIRST]
    if any(crop.landmarks == "second" for crop in variant.crops):
        total += steps[SECOND]
    total += steps[CUT] * len({crop.scale for crop in variant.crops})
    for half in variant.halves:
        total += steps[f"{_base(half[0].network)} x {len(half)}"]
    return total


def _base(network: str) -> str:
    return network.split(maxsplit=1)[0]
