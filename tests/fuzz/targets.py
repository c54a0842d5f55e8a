"""What is fuzzed: each target takes a file and says how it went, in a few words.

An answer is a text that is the same for files that took the same way, as far as
can be told: the kind of error, the line that raised it, its text without
numbers. A file with a new answer is worth changing further. Whatever a target
raises is a finding.
"""

from __future__ import annotations

import os
import re
import time
import traceback
from collections.abc import Callable

import numpy as np

from model.image import ImageError, Limits, Picture

LIMITS = Limits(max_image_pixels=1_000_000, min_side_px=1)
_NUMBER = re.compile(r"0x[0-9a-f]+|\d+|b'.*'")

Target = Callable[[bytes], str]


def decode(data: bytes) -> str:
    """All views of a picture, each of the size that its header promised."""
    try:
        picture = Picture(data, LIMITS)
        promised = picture.size
        for most in (8, 4, 2, 1):
            view = picture.view(most)
            expected = tuple(-(-side // view.denominator) for side in promised)
            assert view.image.shape == (*expected, 3), (view.image.shape, promised)
            assert view.image.dtype == np.uint8
            assert view.denominator <= most
        assert picture.size == picture.whole.shape[:2] == promised
        assert promised[0] * promised[1] <= LIMITS.max_image_pixels
    except ImageError as error:
        return _way(error)
    return f"read as {picture._opened.format} {picture._opened.mode}"


def faces() -> Target:
    """The whole way from a file to chips: every face that is found, cut and measured."""
    from model.artifact import read_artifact
    from model.chip import chip_of, located
    from model.faces import Detector
    from model.quality import measure, quality_chip
    from model.sight import faces_of, sight_of
    from tests.running import ROOT

    artifact = read_artifact(ROOT / "models" / "fused")
    detector = Detector(artifact.detector, threads=1, min_confidence=0.3)
    manifest = artifact.manifest

    def look(data: bytes) -> str:
        try:
            picture = Picture(data, LIMITS)
            found = faces_of(picture, detector, manifest)
        except ImageError as error:
            return _way(error)
        areas = [face.area for face in found]
        assert areas == sorted(areas, reverse=True)
        for face in found:
            assert 0 <= face.confidence <= 1
            numbers = [face.x, face.y, face.width, face.height, *face.landmarks.ravel()]
            assert np.isfinite(numbers).all(), face
            sight = sight_of(picture, face, manifest)
            seen = located(detector, sight.image, sight.face, manifest)
            chip = chip_of(sight.image, seen, manifest)
            assert chip.shape == (*manifest.input_size, 3)
            quality = measure(face, quality_chip(sight.image, sight.face), picture.size)
            assert 0 <= quality.score <= 1
        return f"read, {len(found)} faces"

    return look


def planted(data: bytes) -> str:
    """Does the harm that it is asked for: what finds harm is tested with it."""
    match data:
        case b"crash":
            os.abort()
        case b"hang":
            time.sleep(600)
        case b"slow":
            until = time.process_time() + 0.5
            while time.process_time() < until:
                pass
        case b"memory":
            return f"{len(b'x' * (100 << 20))} bytes"
        case b"raised":
            raise KeyError("planted")
    return f"{len(data)} bytes"


def target(name: str) -> Target:
    """By its name on the command line."""
    return faces() if name == "faces" else {"decode": decode, "planted": planted}[name]


def _way(error: ImageError) -> str:
    cause = error.__cause__
    if cause is None:
        return type(error).__name__
    if isinstance(cause, MemoryError):
        # The limit of the process, not the picture's: it asked for too much.
        raise cause
    frame = traceback.extract_tb(cause.__traceback__)[-1]
    text = _NUMBER.sub("#", str(cause))[:80]
    return f"{type(error).__name__} {type(cause).__name__} {frame.name}:{frame.lineno} {text}"
