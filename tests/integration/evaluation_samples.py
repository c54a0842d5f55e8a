"""Small data sets of the portraits in each form that `evaluate` takes."""

from __future__ import annotations

import json
from pathlib import Path

from model.artifact import Artifact
from model.chip import chip_of, located
from model.faces import Detector, nearest_centre
from tests.faces import Faces
from tests.integration.prepare_samples import clean_set, mirrored, place, portraits, turned
from tests.pictures import encoded, rgb, without_face

PEOPLE = ("astronaut", "barack", "joe", "wrong")


def folder_of(folder: Path, faces: Faces) -> Path:
    """Four identities of four pictures; 'wrong' holds three of barack and one without a face."""
    clean_set(folder, faces)
    of = portraits(faces)
    place(folder / "wrong" / "0.png", encoded(turned(of["obama3"], 8)))
    place(folder / "wrong" / "1.png", encoded(mirrored(of["obama3"])))
    place(folder / "wrong" / "2.png", encoded(turned(of["obama"], -8)))
    place(folder / "wrong" / "3.png", encoded(without_face()))
    return folder


def prepared_of(folder: Path, pictures: Path, artifact: Artifact) -> Path:
    """The same as chips, laid out as `prepare` lays them out; all in the split test."""
    detector, manifest = Detector(artifact.detector), artifact.manifest
    names = []
    for path in sorted(pictures.rglob("*.png")):
        image = rgb(path.read_bytes())
        if found := detector.detect(image):
            face = nearest_centre(found, image.shape[:2])
            chip = chip_of(image, located(detector, image, face, manifest), manifest)
            name = path.relative_to(pictures).as_posix()
            place(folder / "chips" / name, encoded(chip))
            names.append(name)
    splits = {"train": [], "dev": [], "test": names}
    (folder / "splits.json").write_text(json.dumps(splits))
    return folder


def lfw_of(folder: Path, pictures: Path) -> Path:
    """The same as LFW: names with numbers, and a pairs.txt of two folds."""
    for person in PEOPLE[:3]:
        for number in range(4):
            pixels = rgb((pictures / person / f"{number}.png").read_bytes())
            name = f"{person}_{number + 1:04d}.jpg"
            place(folder / person / name, encoded(pixels, "JPEG", quality=95))
    lines = ["2\t2", "barack\t1\t2", "joe\t1\t2", "barack\t1\tjoe\t1", "barack\t2\tastronaut\t1"]
    lines += ["astronaut\t1\t2", "barack\t3\t4", "joe\t3\tastronaut\t2", "joe\t4\tbarack\t3"]
    (folder / "pairs.txt").write_text("\n".join(lines) + "\n")
    return folder


def pairs_of(path: Path) -> Path:
    """A list of pairs of `folder_of`: eight genuine, twelve impostor ones, with groups."""
    rows = ["Probe, Reference, Same, Group"]
    for person in ("astronaut", "barack", "joe"):
        rows += [f"{person}/0.png,{person}/{n}.png,1,{person[0]}" for n in (1, 2)]
    rows += ["joe/2.png,joe/3.png,yes,j", "barack/0.png,wrong/3.png,genuine,"]
    for n in range(4):
        rows += [f"joe/{n}.png,barack/{n}.png,0,b", f"astronaut/{n}.png,joe/{n}.png,no,j"]
        rows.append(f"barack/{n}.png,astronaut/{n}.png,impostor,a")
    path.write_text("\n".join(rows) + "\n", encoding="utf-8-sig")
    return path
