"""Measure an artifact on LFW: accuracy on its 6,000 pairs, and the FMR table."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.artifact import Artifact
from model.contract import Calibration, OperatingPoint
from model.faces import Detector
from model.runtimes.base import Runtime
from model.types import Array
from training.data.errors import DataError
from training.metrics import Accuracy, fold_accuracy, operating_points
from training.pairs import all_pairs, read_lfw_pairs
from training.pictures import Embedded, embed_folder

RATES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
PROTOCOL = (
    "All pairs of the pictures named in LFW's pairs.txt, through detect, align, embed and "
    "score; FMR over pairs of different people, FNMR over pairs of the same; the face nearest "
    "the middle; 95 % intervals by bootstrap over identities (1,000 resamples). Accuracy: the "
    "6,000 pairs, 10 folds, each with the threshold that is best on the other nine."
)


@dataclass(frozen=True)
class LfwResult:
    """What was measured on LFW.

    Attributes:
        tar_at_1e3: Genuine pairs of the 6,000 that match at the threshold that
            at most 3 of the 3,000 impostor pairs exceed.
        missed: Pictures in which no face was found.
    """

    accuracy: Accuracy
    tar_at_1e3: float
    points: tuple[OperatingPoint, ...]
    impostor_pairs: int
    genuine_pairs: int
    identities: int
    missed: tuple[str, ...]


def measure_lfw(artifact: Artifact, runtime: Runtime, folder: Path, *, quiet: bool) -> LfwResult:
    """Runs LFW's protocol through the path that a request takes.

    Args:
        folder: Holds `pairs.txt` and a folder for each person.

    Raises:
        DataError: If the folder is not LFW, or a named picture is not there.
    """
    if not (folder / "pairs.txt").is_file():
        raise DataError(f"expected LFW's pairs.txt in '{folder.name}', found none")
    pairs, same, folds = read_lfw_pairs(folder / "pairs.txt")
    embedded = embed_folder(folder, Detector(artifact.detector), runtime, quiet=quiet)
    scores = _pair_scores(embedded, runtime, pairs)
    truth = np.array(same)
    impostor = np.sort(scores[~truth])
    strict = impostor[-1 - len(impostor) // 1000]
    everything = all_pairs(embedded, runtime, max(RATES), quiet=quiet)
    return LfwResult(
        accuracy=fold_accuracy(scores, truth, np.array(folds)),
        tar_at_1e3=float(np.mean(scores[truth] > strict)),
        points=tuple(operating_points(everything, RATES)),
        impostor_pairs=everything.impostor_pairs,
        genuine_pairs=len(everything.genuine),
        identities=len(everything.images),
        missed=embedded.missed,
    )


def calibration_of(result: LfwResult) -> Calibration:
    """The result as the manifest keeps it."""
    return Calibration(
        dataset="LFW (Labeled Faces in the Wild), original 250 x 250 pictures of pairs.txt",
        protocol=PROTOCOL,
        measured_on=datetime.date.today().isoformat(),
        impostor_pairs=result.impostor_pairs,
        genuine_pairs=result.genuine_pairs,
        identities=result.identities,
        accuracy=result.accuracy.mean,
        accuracy_standard_error=result.accuracy.standard_error,
        points=result.points,
    )


def _pair_scores(embedded: Embedded, runtime: Runtime, pairs: list[tuple[str, str]]) -> Array:
    """Score of each pair; 0 where a face was not found, so that it counts."""
    rows = embedded.index()
    scores = np.zeros(len(pairs), dtype=np.float32)
    known = set(embedded.names) | set(embedded.missed)
    for number, (probe, reference) in enumerate(pairs):
        if not {probe, reference} <= known:
            raise DataError(f"expected the picture {probe} and {reference}, found one missing")
        if probe in rows and reference in rows:
            one, other = embedded.embeddings[rows[probe]], embedded.embeddings[[rows[reference]]]
            scores[number] = runtime.score(one, other)[0]
    return scores
