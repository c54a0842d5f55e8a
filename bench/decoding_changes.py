"""Pictures made large, seen whole and decoded as far as needed: what differs."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from model.chip import chip_of, located
from model.faces import Detector, Face, nearest_centre
from model.image import Limits, Picture
from model.runtimes.openvino_runtime import OpenVinoRuntime
from model.sight import faces_of, sight_of
from model.types import Array, Image
from training.pictures import picture_names

_LONGER_SIDES_PX = (2560, 3264, 4000, 5200)
_NOISE = 4.0
_QUANTILES = [0, 0.01, 0.05, 0.5]


def changes(folder: Path, count: int, detector: Detector, runtime: OpenVinoRuntime) -> str:
    """Differences as text: number of faces, and cosines of embeddings of the largest face.

    A second pair of ways shows what is to be expected anyhow: the picture whole, and
    the same saved once more as a JPEG of quality 95.
    """
    counts: list[tuple[int, int, int]] = []
    cosines: dict[str, list[float]] = {"as needed": [], "saved again": []}
    for data in _large(folder, count):
        whole, needed, again = (Picture(d, Limits()) for d in (data, data, _saved_again(data)))
        for picture in (whole, again):
            picture.view(1)
        found = [
            faces_of(picture, detector, runtime.manifest) for picture in (whole, needed, again)
        ]
        counts.append((len(found[0]), len(found[1]), len(found[2])))
        if not all(found):
            continue
        same = [nearest_centre(seen, _middle(found[0][0])) for seen in found]
        rows = [
            _embedding(picture, face, detector, runtime)
            for picture, face in zip((whole, needed, again), same, strict=True)
        ]
        cosines["as needed"].append(_cosine(rows[0], rows[1]))
        cosines["saved again"].append(_cosine(rows[0], rows[2]))
    lines = [
        f"{len(counts)} pictures of {folder.name}, {_LONGER_SIDES_PX} px, compared with whole:"
    ]
    for place, way in enumerate(cosines, start=1):
        other = sum(row[0] != row[place] for row in counts)
        verdict = sum(min(row[0], 2) != min(row[place], 2) for row in counts)
        low, first, fifth, middle = np.quantile(cosines[way], _QUANTILES)
        lines.append(
            f"  {way}: other number of faces {other}, other of none / one / several {verdict}; "
            f"cosine least {low:.4f}, 1 % {first:.4f}, 5 % {fifth:.4f}, median {middle:.4f}"
        )
    return "\n".join(lines)


def _large(folder: Path, count: int) -> Iterator[bytes]:
    """Pictures scaled up, with a camera's noise, as JPEG."""
    names = picture_names(folder)
    noise = np.random.default_rng(0)
    for number, name in enumerate(random.Random(0).sample(names, min(count, len(names)))):
        image = cv2.imread(str(folder / name))
        if image is None:
            continue
        scale = _LONGER_SIDES_PX[number % len(_LONGER_SIDES_PX)] / max(image.shape[:2])
        large = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_LANCZOS4)
        grain = noise.normal(0, _NOISE, (*large.shape[:2], 1)).astype(np.float32)
        yield _jpeg(np.clip(large + grain, 0, 255).astype(np.uint8), 90)


def _saved_again(data: bytes) -> bytes:
    return _jpeg(np.ascontiguousarray(Picture(data, Limits()).whole[:, :, ::-1]), 95)


def _jpeg(image: Image, quality: int) -> bytes:
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def _middle(face: Face) -> tuple[int, int]:
    """Size (height, width) of an image in whose middle the face would be."""
    return round(face.centre[1] * 2), round(face.centre[0] * 2)


def _embedding(picture: Picture, face: Face, detector: Detector, runtime: OpenVinoRuntime) -> Array:
    sight = sight_of(picture, face, runtime.manifest)
    seen = located(detector, sight.image, sight.face, runtime.manifest)
    row: Array = runtime.embed(chip_of(sight.image, seen, runtime.manifest)[None])[0]
    return row


def _cosine(one: Array, other: Array) -> float:
    return float(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)))
