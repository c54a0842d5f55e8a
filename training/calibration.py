"""Measure an artifact on LFW: accuracy on its 6,000 pairs, and the FMR table."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.artifact import Artifact
from model.contract import Calibration, OperatingPoint
from model.runtimes.base import Runtime
from training.evaluation.calibrating import FITTED_ON_ALL
from training.evaluation.corpus import Corpus, listed_comparisons
from training.evaluation.left_out import without
from training.evaluation.rates import operating_points
from training.evaluation.sources import LFW_NAME, Choice, open_corpus
from training.evaluation.verdict_attempts import Gallery
from training.evaluation.verdicts import VerdictTable, verdict_table
from training.metrics import Accuracy, fold_accuracy
from training.pairs import all_pairs

RATES = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6)
PROTOCOL = (
    "All pairs of the pictures named in LFW's pairs.txt, through detect, align, embed and "
    "score; FMR over pairs of different people, FNMR over pairs of the same; the face nearest "
    f"the middle; {FITTED_ON_ALL}. Accuracy: the "
    "6,000 pairs, 10 folds, each with the threshold that is best on the other nine."
)


@dataclass(frozen=True)
class People:
    """A folder of people with many pictures each.

    Attributes:
        leave_out: Identities known to be wrongly named, divided by commas.
    """

    folder: Path
    leave_out: str = ""


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
    verdicts: VerdictTable
    impostor_pairs: int
    genuine_pairs: int
    identities: int
    missed: tuple[str, ...]


def measure_lfw(
    artifact: Artifact,
    runtime: Runtime,
    folder: Path,
    *,
    people: People | None = None,
    quiet: bool,
) -> LfwResult:
    """Runs LFW's protocol through the path that a request takes.

    Args:
        folder: Holds `pairs.txt` and a folder for each person.
        people: Whom the table of whole verdicts is measured on; LFW's own if None.

    Raises:
        DataError: If the folder is not LFW, or a named picture is not there.
    """
    corpus = open_corpus(Choice(lfw=folder), artifact, runtime, quiet=quiet)
    accuracy, tar = measure_list(corpus, runtime)
    everything = all_pairs(corpus.embedded, runtime, quiet=quiet)
    if people is None:
        verification = runtime.manifest.verification_threshold
        gallery = Gallery(corpus.embedded, everything, runtime, verification)
        verdicts = verdict_table(gallery, quiet=quiet)
    else:
        verdicts = measure_verdicts(artifact, runtime, people, quiet=quiet)
    return LfwResult(
        accuracy=accuracy,
        tar_at_1e3=tar,
        points=tuple(operating_points(everything, RATES)),
        verdicts=verdicts,
        impostor_pairs=len(everything.impostor),
        genuine_pairs=len(everything.genuine),
        identities=everything.identities,
        missed=corpus.embedded.missed,
    )


def measure_verdicts(
    artifact: Artifact, runtime: Runtime, people: People, *, quiet: bool
) -> VerdictTable:
    """The table of whole verdicts, through the path that a request takes.

    Raises:
        DataError: If the folder holds no people, or not those to leave out.
    """
    corpus = open_corpus(Choice(data=people.folder), artifact, runtime, quiet=quiet)
    embedded = without(corpus.embedded, people.leave_out)
    gallery = Gallery(
        embedded,
        all_pairs(embedded, runtime, quiet=quiet),
        runtime,
        runtime.manifest.verification_threshold,
    )
    found = verdict_table(gallery, quiet=quiet)
    left_out = f" without the wrongly named {people.leave_out}" if people.leave_out else ""
    named = f"Pictures of {corpus.dataset}{left_out}: {found.protocol}"
    return VerdictTable(found.points, named if found.points else "")


def measure_list(corpus: Corpus, runtime: Runtime) -> tuple[Accuracy, float]:
    """Accuracy over the folds of a list such as LFW's, and its TAR at FMR 1e-3."""
    listed = listed_comparisons(corpus, runtime)
    strict = listed.impostor[len(listed.impostor) // 1000]
    accuracy = fold_accuracy(listed.scores, listed.same, np.asarray(listed.folds))
    return accuracy, float(np.mean(listed.genuine > strict))


def calibration_of(result: LfwResult) -> Calibration:
    """The result as the manifest keeps it."""
    return Calibration(
        dataset=LFW_NAME,
        protocol=PROTOCOL,
        measured_on=datetime.date.today().isoformat(),
        impostor_pairs=result.impostor_pairs,
        genuine_pairs=result.genuine_pairs,
        identities=result.identities,
        accuracy=result.accuracy.mean,
        accuracy_standard_error=result.accuracy.standard_error,
        points=result.points,
        verdicts=result.verdicts.points,
        verdict_protocol=result.verdicts.protocol,
    )
