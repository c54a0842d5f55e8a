"""What the variants are made of: faces of a folder, and each network's embeddings of them.

Computed once for each way of cutting, and kept in a folder between runs, if one is
given; what was kept is not used once the code that finds and cuts faces has changed.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import track

import model.alignment
import model.backbones.fused
import model.faces
import model.landmarks
from bench.variants_networks import Network, Networks
from model.alignment import align
from model.contract import Interpolation
from model.faces import Detector, Face, nearest_centre
from model.image import Limits, decode
from model.landmarks import second_look
from model.types import AnyArray, Array, Image

_BATCH = 32
_WORKERS = 2
_CODE = (model.alignment, model.backbones.fused, model.faces, model.landmarks)


@dataclass(frozen=True)
class Crop:
    """How a face is cut for a network.

    Attributes:
        network: A name of `bench.variants_networks`.
        landmarks: "first" or "second" look.
        scale: Of the face in the window; 1 as the network is used by us.
        mirrored: Whether the window's mirror image is embedded.
        interpolation: Of the picture's pixels in the chip.
    """

    network: str
    landmarks: str = "second"
    scale: float = 1.0
    mirrored: bool = False
    interpolation: Interpolation = "cubic"

    def __str__(self) -> str:
        way = "-mirrored" if self.mirrored else ""
        way += "-linear" if self.interpolation == "linear" else ""
        return f"{self.network}-{self.landmarks}-{self.scale:g}{way}".replace(" ", "-")


@dataclass(frozen=True)
class Found:
    """The faces nearest the middle of pictures; pictures without one are not among them.

    Attributes:
        folder: Where the pictures are.
        names: Path below the folder.
        identities: First folder of each name. Shape (N,).
        boxes: x, y, width, height of the detector's box. Shape (N, 4).
        landmarks: By the name of the look. Shape (N, 5, 2) each.
    """

    folder: Path
    names: tuple[str, ...]
    identities: AnyArray
    boxes: Array
    landmarks: dict[str, Array]

    def image(self, row: int) -> Image:
        return decode((self.folder / self.names[row]).read_bytes(), Limits())


class Store:
    """Arrays that are kept in a folder from run to run; nothing is kept if it is None."""

    def __init__(self, folder: Path | None, names: Sequence[str]) -> None:
        self._folder = folder
        digest = hashlib.sha256("\n".join(names).encode())
        for module in _CODE:
            digest.update(inspect.getsource(module).encode())
        self._about = digest.hexdigest()[:8]

    def read(self, key: str) -> dict[str, AnyArray] | None:
        path = self._path(key)
        if path is None or not path.is_file():
            return None
        with np.load(path) as kept:
            return {name: kept[name] for name in kept.files}

    def write(self, key: str, **arrays: AnyArray) -> None:
        path = self._path(key)
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_suffix(".part.npz")
            np.savez(part, allow_pickle=False, **arrays)
            part.replace(path)

    def _path(self, key: str) -> Path | None:
        return None if self._folder is None else self._folder / f"{self._about}-{key}.npz"


def find_faces(folder: Path, names: Sequence[str], detector: Detector, store: Store) -> Found:
    """The faces of the pictures, by both looks."""
    kept = store.read("faces")
    if kept is None:
        kept = _look(folder, names, detector)
        store.write("faces", **kept)
    rows = kept["rows"]
    chosen = tuple(names[row] for row in rows)
    return Found(
        folder=folder,
        names=chosen,
        identities=np.array([name.split("/")[0] for name in chosen]),
        boxes=kept["boxes"],
        landmarks={look: kept[look] for look in ("first", "second")},
    )


def embeddings(
    found: Found, crops: Sequence[Crop], networks: Networks, store: Store
) -> dict[Crop, Array]:
    """What the networks make of the faces, as they give it. Shape (N, 128) each."""
    done: dict[Crop, Array] = {}
    missing: list[Crop] = []
    for crop in dict.fromkeys(crops):
        kept = store.read(str(crop))
        if kept is None:
            missing.append(crop)
        else:
            done[crop] = kept["embeddings"]
    if missing:

        def cut(row: int) -> list[Image]:
            image = found.image(row)
            marks = {look: points[row] for look, points in found.landmarks.items()}
            return [chip(c, networks[c.network], image, marks[c.landmarks]) for c in missing]

        for crop, rows in zip(missing, _embedded(cut, found, missing, networks), strict=True):
            done[crop] = rows
            store.write(str(crop), embeddings=rows)
    return done


def chip(crop: Crop, network: Network, image: Image, landmarks: Array) -> Image:
    """The chip of a face, `crop.scale` times as large in it as usual. Shape (*size, 3)."""
    middle = network.template.mean(axis=0)
    template = ((network.template - middle) * crop.scale + middle).astype(np.float32)
    return align(image, landmarks, template, network.size, interpolation=crop.interpolation)


def _embedded(
    cut: Callable[[int], list[Image]], found: Found, crops: Sequence[Crop], networks: Networks
) -> list[Array]:
    blocks: list[list[Array]] = [[] for _ in crops]
    starts = range(0, len(found.names), _BATCH)
    with ThreadPoolExecutor(_WORKERS) as pool:
        for at in track(starts, f"embed {found.folder.name} in {len(crops)} ways"):
            rows = range(at, min(at + _BATCH, len(found.names)))
            of_pictures = list(pool.map(cut, rows))
            for number, crop in enumerate(crops):
                chips = np.stack([chips[number] for chips in of_pictures])
                blocks[number].append(networks[crop.network].embed(chips, mirrored=crop.mirrored))
    return [np.concatenate(rows) for rows in blocks]


def _look(folder: Path, names: Sequence[str], detector: Detector) -> dict[str, AnyArray]:
    rows, boxes, first, second = [], [], [], []
    for row, name in enumerate(track(names, f"find faces in {folder.name}")):
        image = decode((folder / name).read_bytes(), Limits())
        faces = detector.detect(image)
        if faces:
            face = nearest_centre(faces, image.shape[:2])
            rows.append(row)
            boxes.append((face.x, face.y, face.width, face.height))
            first.append(face.landmarks)
            second.append(second_look(detector, image, face).landmarks)
    return {
        "rows": np.array(rows, dtype=int),
        "boxes": np.array(boxes),
        "first": np.array(first),
        "second": np.array(second),
    }


def face_of(found: Found, row: int) -> Face:
    x, y, width, height = found.boxes[row].tolist()
    return Face(x, y, width, height, found.landmarks["first"][row], 1.0)
