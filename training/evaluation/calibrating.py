"""The manifest's calibration of any artifact, from pictures of known people."""

from __future__ import annotations

import datetime

from model.contract import DEFAULT_FMR, Calibration
from model.runtimes.base import Runtime
from training.data.errors import DataError
from training.evaluation.cautions import EXPECTED_FALSE
from training.evaluation.comparisons import Comparisons
from training.evaluation.folds import accuracy_of
from training.evaluation.prepared import embed_prepared
from training.evaluation.rates import measurable, operating_points
from training.evaluation.verdict_attempts import Gallery
from training.evaluation.verdicts import verdict_table
from training.pairs import all_pairs
from training.pictures import Embedded

__all__ = ["calibration_from", "calibration_of_pairs", "default_threshold", "embed_prepared"]

FEWEST_IMPOSTOR_PAIRS = 10
INTERVALS_OF_ALL = "95 % intervals by bootstrap over identities (1,000 resamples)"
INTERVALS_OF_LIST = "95 % intervals after Wilson, each pair taken for independent"
FITTED_ON_ALL = (
    "95 % intervals of as many other people, by bootstrap over identities with the threshold "
    "refitted (1,000 resamples)"
)
FITTED_ON_LIST = "95 % intervals of as many other pairs, each pair taken for independent"


def calibration_from(
    embedded: Embedded, runtime: Runtime, dataset: str, *, quiet: bool = True
) -> Calibration:
    """The calibration of an artifact, measured on all pairs of these pictures.

    The FMR table has the rates among 1e-1 ... 1e-6 at which the impostor pairs
    allow at least one false match. The scores must be of people whom the model
    was not trained on, or the rates flatter it.

    Args:
        embedded: By the same runtime's `embed`.
        dataset: Its name, for the manifest.

    Raises:
        DataError: If there is no genuine pair, or fewer than 10 impostor pairs.
    """
    comparisons = all_pairs(embedded, runtime, quiet=quiet)
    calibration = calibration_of_pairs(comparisons, dataset, len(embedded.missed))
    return with_verdicts(calibration, embedded, comparisons, runtime, quiet=quiet)


def with_verdicts(
    calibration: Calibration,
    embedded: Embedded,
    comparisons: Comparisons,
    runtime: Runtime,
    *,
    quiet: bool = True,
) -> Calibration:
    """The calibration with the table of whole verdicts, as far as the pictures allow.

    Args:
        comparisons: All pairs of `embedded`, by the same runtime.
    """
    verification = runtime.manifest.verification_threshold
    gallery = Gallery(embedded, comparisons, runtime, verification)
    table = verdict_table(gallery, quiet=quiet)
    return calibration.model_copy(
        update={"verdicts": table.points, "verdict_protocol": table.protocol}
    )


def calibration_of_pairs(comparisons: Comparisons, dataset: str, missed: int = 0) -> Calibration:
    """The same from scored pairs.

    Args:
        missed: Pictures in which no face was found.

    Raises:
        DataError: If there is no genuine pair, or fewer than 10 impostor pairs.
    """
    check_enough(comparisons)
    judged = accuracy_of(comparisons)
    kind, intervals = (
        ("listed pairs", FITTED_ON_LIST)
        if comparisons.listed
        else ("all pairs of the pictures", FITTED_ON_ALL)
    )
    protocol = (
        f"{kind.capitalize()}; FMR over pairs of different people, FNMR over pairs of the same; "
        f"{intervals}. Accuracy: {judged.protocol}."
    )
    if missed:
        protocol += f" Pictures without a face: {missed}."
    return Calibration(
        dataset=dataset,
        protocol=protocol,
        measured_on=datetime.date.today().isoformat(),
        impostor_pairs=len(comparisons.impostor),
        genuine_pairs=len(comparisons.genuine),
        identities=max(2, comparisons.identities),
        accuracy=judged.accuracy.mean,
        accuracy_standard_error=judged.accuracy.standard_error,
        points=tuple(operating_points(comparisons, measurable(comparisons))),
    )


def check_enough(comparisons: Comparisons) -> None:
    """Raises DataError unless rates can be measured on these pairs."""
    impostors = len(comparisons.impostor)
    if not len(comparisons.genuine):
        raise DataError(
            "expected at least one genuine pair (two pictures of one identity), found none among "
            f"{_of(len(comparisons.owner), 'picture')} of {_of(comparisons.identities, 'identity')}"
        )
    if impostors < FEWEST_IMPOSTOR_PAIRS:
        raise DataError(
            f"expected at least {FEWEST_IMPOSTOR_PAIRS} impostor pairs (pictures of two different "
            f"identities), found {impostors} among {_of(len(comparisons.owner), 'picture')} of "
            f"{_of(comparisons.identities, 'identity')}"
        )


def default_threshold(calibration: Calibration) -> float:
    """The threshold at FMR 1e-4, or at the strictest rate that was measured well.

    That is a rate at which ten false matches or more were to be expected: a
    threshold that rests on one or two of them is a guess.
    """
    well = [
        point
        for point in calibration.points
        if point.fmr * calibration.impostor_pairs >= EXPECTED_FALSE
    ]
    strictest = well[-1] if well else calibration.points[-1]
    return calibration.at_fmr(max(DEFAULT_FMR, strictest.fmr)).threshold


def _of(count: int, word: str) -> str:
    plural = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return f"{count} {word if count == 1 else plural}"
