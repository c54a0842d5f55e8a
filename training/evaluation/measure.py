"""All figures of one artifact on one corpus."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np

from model.contract import Manifest, OperatingPoint
from model.runtimes.base import Runtime
from training.data.errors import DataError
from training.evaluation.calibrating import (
    FITTED_ON_ALL,
    FITTED_ON_LIST,
    INTERVALS_OF_ALL,
    INTERVALS_OF_LIST,
)
from training.evaluation.cautions import cautions_of
from training.evaluation.comparisons import Comparisons, sampled
from training.evaluation.corpus import Corpus, listed_comparisons
from training.evaluation.curves import (
    Curve,
    EqualError,
    Histogram,
    curve_of,
    equal_error,
    histogram_of,
)
from training.evaluation.evidence import evidence_cautions
from training.evaluation.folds import Judged, accuracy_of
from training.evaluation.gallery import REFERENCES, GalleryResult, gallery
from training.evaluation.groups import GroupRates, group_rates
from training.evaluation.rates import Rates, measurable, operating_points, rates_at
from training.evaluation.reliability import Reliability, reliability_of
from training.evaluation.verdict_attempts import Gallery
from training.evaluation.verdicts import VerdictTable, verdict_table
from training.metrics import Accuracy
from training.pairs import all_pairs

PAPER_THRESHOLD = 0.5
_LIST_RATE = 1e-3
_MOST_PAIRS = 1_000_000


@dataclass(frozen=True)
class Settings:
    """What a user may choose.

    Attributes:
        threshold: Detection threshold to judge at, besides the model's; the paper's
            unless named.
        verification: Share of references that must match; None: the model's.
        references: Of each identity of the gallery protocol.
        prior: Share of genuine pairs that reliability is for.
        verdicts: Whether to measure whole verdicts of every rule, too.
    """

    threshold: float = PAPER_THRESHOLD
    verification: float | None = None
    references: int = REFERENCES
    prior: float = 0.5
    verdicts: bool = True

    def __post_init__(self) -> None:
        shares = {"--threshold": self.threshold, "--verification": self.verification or 0.0}
        for name, value in shares.items():
            if not 0 <= value <= 1:
                raise DataError(f"expected {name} in 0 .. 1, found {value:g}")
        if not 0 < self.prior < 1:
            raise DataError(f"expected --prior between 0 and 1, found {self.prior:g}")
        if self.references < 1:
            raise DataError(f"expected at least 1 reference, found {self.references}")


@dataclass(frozen=True)
class ListResult:
    """What a list of pairs that came with a folder (LFW's) says besides.

    Attributes:
        tar_at_1e3: Share of its genuine pairs that match at the lowest threshold
            with an FMR of at most 1e-3 on it; None if it has too few impostor pairs.
    """

    accuracy: Accuracy
    protocol: str
    genuine_pairs: int
    impostor_pairs: int
    tar_at_1e3: float | None


@dataclass(frozen=True)
class Facts:
    """What was measured on.

    Attributes:
        pictures: With a face.
        missed: Names of pictures without one.
        protocol: Which pairs, and how intervals were made.
    """

    dataset: str
    source: str
    protocol: str
    measured_on: str
    runtime: str
    pictures: int
    missed: tuple[str, ...]
    identities: int
    genuine_pairs: int
    impostor_pairs: int


@dataclass(frozen=True)
class Evaluation:
    """Every figure; `comparisons` are the pairs they are from.

    Attributes:
        at: The chosen threshold, and the model's own if it is another.
        points: The FMR table; empty with fewer than ten impostor pairs.
        verdicts: Of whole verdicts; empty where there are too few people or pictures.
        listed: For a corpus with both identities and a list of pairs.
        cautions: What the figures cannot carry.
    """

    manifest: Manifest
    facts: Facts
    settings: Settings
    comparisons: Comparisons
    at: tuple[Rates, ...]
    points: tuple[OperatingPoint, ...]
    equal_error: EqualError
    curve: Curve
    histogram: Histogram
    accuracy: Judged
    listed: ListResult | None
    reliability: Reliability
    galleries: tuple[GalleryResult, ...]
    verdicts: VerdictTable
    groups: tuple[GroupRates, ...]
    cautions: tuple[str, ...]


def evaluate(
    corpus: Corpus, runtime: Runtime, settings: Settings, *, quiet: bool = True
) -> Evaluation:
    """Measures the runtime's artifact.

    Where pictures are in folders of identities, all their pairs are compared;
    otherwise the listed ones.

    Raises:
        DataError: If there is no genuine or no impostor pair.
    """
    manifest = runtime.manifest
    comparisons = (
        all_pairs(corpus.embedded, runtime, quiet=quiet)
        if corpus.named
        else listed_comparisons(corpus, runtime)
    )
    _check_both_kinds(comparisons)
    thresholds = list(dict.fromkeys([settings.threshold, manifest.detection_threshold]))
    verification = settings.verification
    if verification is None:
        verification = manifest.verification_threshold
    galleries = (
        gallery(
            corpus.embedded,
            runtime,
            [(detection, verification) for detection in thresholds],
            settings.references,
        )
        if corpus.named
        else []
    )
    verdicts = VerdictTable()
    if corpus.named and settings.verdicts:
        verdicts = verdict_table(
            Gallery(corpus.embedded, comparisons, runtime, verification), quiet=quiet
        )
    groups, group_cautions = group_rates(corpus, comparisons, manifest.detection_threshold)
    cautions = [*corpus.notes, *cautions_of(comparisons), *group_cautions]
    if not galleries:
        cautions.append(
            "no gallery protocol: it needs identities with more than "
            f"{settings.references} pictures"
        )
    points = operating_points(comparisons, measurable(comparisons))
    names = np.unique(corpus.embedded.identities).tolist()
    cautions += evidence_cautions(comparisons, points, names)
    judged = accuracy_of(comparisons)
    return Evaluation(
        manifest=manifest,
        facts=_facts(corpus, comparisons, runtime),
        settings=settings,
        comparisons=comparisons,
        at=tuple(rates_at(comparisons, thresholds)),
        points=tuple(points),
        equal_error=equal_error(comparisons),
        curve=curve_of(comparisons),
        histogram=histogram_of(comparisons),
        accuracy=judged,
        listed=_listed(corpus, runtime) if corpus.named and corpus.listed else None,
        reliability=_reliability(comparisons, settings.prior),
        galleries=tuple(galleries),
        verdicts=verdicts,
        groups=tuple(groups),
        cautions=tuple(cautions),
    )


def _check_both_kinds(comparisons: Comparisons) -> None:
    count, people = len(comparisons.owner), comparisons.identities
    if not len(comparisons.genuine):
        raise DataError(
            "expected two pictures of one identity at least, to make a genuine pair, found none "
            f"among {count} pictures"
        )
    if not len(comparisons.impostor):
        raise DataError(
            "expected pictures of two identities at least, to make impostor pairs, found "
            f"{count} pictures of {people}"
        )


def _reliability(comparisons: Comparisons, prior: float) -> Reliability:
    """Of pairs with two faces: without one there is no score to be a probability."""
    pairs = sampled(comparisons, _MOST_PAIRS)
    return reliability_of(pairs.scores, pairs.same, prior)


def _listed(corpus: Corpus, runtime: Runtime) -> ListResult:
    listed = listed_comparisons(corpus, runtime)
    judged = accuracy_of(listed)
    tar = None
    if measurable(listed, [_LIST_RATE]):
        (point,) = operating_points(listed, [_LIST_RATE])
        tar = float(np.mean(listed.genuine > point.threshold))
    return ListResult(
        accuracy=judged.accuracy,
        protocol=judged.protocol,
        genuine_pairs=len(listed.genuine),
        impostor_pairs=len(listed.impostor),
        tar_at_1e3=tar,
    )


def _facts(corpus: Corpus, comparisons: Comparisons, runtime: Runtime) -> Facts:
    if comparisons.listed:
        protocol = f"the listed pairs; {INTERVALS_OF_LIST}; of the FMR table: {FITTED_ON_LIST}"
        if corpus.embedded.missed:
            protocol += "; a pair with a picture without a face has the score 0"
    else:
        protocol = (
            f"all pairs of the pictures; {INTERVALS_OF_ALL}, never narrower than Wilson's; of the "
            f"FMR table: {FITTED_ON_ALL}"
        )
    return Facts(
        dataset=corpus.dataset,
        source=corpus.source,
        protocol=protocol,
        measured_on=datetime.date.today().isoformat(),
        runtime=runtime.name,
        pictures=len(corpus.embedded.names),
        missed=corpus.embedded.missed,
        identities=comparisons.identities,
        genuine_pairs=len(comparisons.genuine),
        impostor_pairs=len(comparisons.impostor),
    )
