"""Identify: who of all that are enrolled is the face of a probe?

    candidates   the nearest references, from the index in memory
    scores       the model's own, against what the store has of them at this moment
    identity     its best reference's score; the first of the list is rank 1

The verdict holds for a rate of false positive identifications (service.core.fpir).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from model.contract import Manifest
from model.types import Array
from service.core.core import Core
from service.core.fpir import Bar, bar
from service.core.indexes import Way
from service.core.perceive import Percept, chip_by, perceive
from service.core.results import FaceChoice, FoundFace, Threshold
from service.core.stopwatch import Stopwatch
from service.core.throttle import note_identified

DEFAULT_CANDIDATES: Final = 5
MOST_CANDIDATES: Final = 20
_FEWEST: Final = 64
_EACH: Final = 8
"""References to score, at least, and for each identity that is asked for: one has several,
and what is nearest by the index need not be by the score."""


@dataclass(frozen=True)
class Candidate:
    """An identity of the candidate list.

    Attributes:
        rank: From 1.
        score: Its best reference's, in [0, 1].
        matched: Whether that is above the threshold of the model that made it.
    """

    rank: int
    identity: str
    reference_id: str
    score: float
    matched: bool


@dataclass(frozen=True)
class Identification:
    """What a search found.

    Attributes:
        candidates: The highest score first; of those that do not match, too.
        threshold, fpir: Of the model that made the first candidate's score.
        references, identities: That were searched.
        way: "approximate" if not every reference was compared.
        manifest: Of the same model.
    """

    candidates: tuple[Candidate, ...]
    threshold: Threshold
    fpir: float | None
    references: int
    identities: int
    way: Way
    found: FoundFace
    timings_ms: Mapping[str, float]
    manifest: Manifest

    @property
    def identity(self) -> str | None:
        """Who it is; None if nobody matches."""
        first = next(iter(self.candidates), None)
        return first.identity if first is not None and first.matched else None


@dataclass(frozen=True)
class _Scored:
    """An identity's best reference by one model."""

    identity: str
    reference_id: str
    score: float


@dataclass(frozen=True)
class _Searched:
    core: Core
    best: tuple[_Scored, ...]
    references: int
    identities: int
    way: Way


def identify(
    core: Core,
    probe: bytes,
    *,
    candidates: int = DEFAULT_CANDIDATES,
    max_fpir: float | None = None,
    detection: float | None = None,
    choice: FaceChoice = "error",
) -> Identification:
    """The identities whose references score highest against a probe.

    While two models are loaded each reference is scored by the one that embedded it.

    Args:
        candidates: How many identities, at most.
        max_fpir, detection: As of `service.core.fpir.bar`.

    Raises:
        InvalidRequest, ImageError, NoFace, SeveralFaces
        NotReady: While the gallery is read.
        GalleryTooLarge
    """
    watch = Stopwatch()
    percept = perceive(core, probe, choice, watch)
    return identify_face(
        core, percept, watch, candidates=candidates, max_fpir=max_fpir, detection=detection
    )


def identify_face(
    core: Core,
    percept: Percept,
    watch: Stopwatch,
    *,
    candidates: int = DEFAULT_CANDIDATES,
    max_fpir: float | None = None,
    detection: float | None = None,
) -> Identification:
    """The same of one face of a picture. Raises InvalidRequest, NotReady, GalleryTooLarge."""
    searched = []
    for one in core.each():
        with watch.stage("embed"):
            own = one.fingerprint == core.fingerprint
            chip = percept.chip if own else chip_by(one, percept)
            embedding = one.model.embed(chip[None])[0]
        with watch.stage("search"):
            searched.append(_search(one, embedding, candidates))
    references = sum(found.references for found in searched)
    bars = [_bar(found.core, references, detection, max_fpir) for found in searched]
    ranked = sorted(
        (
            (scored.score > limit.threshold.value, scored.score, scored, which)
            for which, (found, limit) in enumerate(zip(searched, bars, strict=True))
            for scored in found.best
        ),
        key=lambda item: item[:2],
        reverse=True,
    )[:candidates]
    first = ranked[0][3] if ranked else 0
    result = Identification(
        candidates=tuple(
            Candidate(rank, scored.identity, scored.reference_id, score, matched)
            for rank, (matched, score, scored, _) in enumerate(ranked, start=1)
        ),
        threshold=bars[first].threshold,
        fpir=bars[first].fpir,
        references=references,
        identities=sum(found.identities for found in searched),
        way="approximate" if any(one.way == "approximate" for one in searched) else "exact",
        found=percept.found,
        timings_ms=watch.read_ms(),
        manifest=searched[first].core.model.manifest,
    )
    if result.identity is not None:
        note_identified(core, result.identity)
    return result


def _bar(core: Core, references: int, detection: float | None, max_fpir: float | None) -> Bar:
    return bar(
        core.model.manifest.calibration,
        references,
        detection=detection,
        max_fpir=max_fpir,
        default=core.policy.max_fpir,
    )


def _search(core: Core, embedding: Array, candidates: int) -> _Searched:
    """The best identities by one model, at least as many as asked for if there are."""
    count = max(_FEWEST, _EACH * candidates)
    while True:
        ids, index, way = core.indexes.nearest(core, embedding, count)
        best = _scored(core, embedding, ids)
        # One identity may have taken all places.
        if len(best) >= candidates or len(ids) < count:
            break
        count *= 2
    return _Searched(core, best[:candidates], index.references, index.identities, way)


def _scored(core: Core, embedding: Array, ids: list[str]) -> tuple[_Scored, ...]:
    """Identities by their best reference's score; of what the store has now."""
    page = core.store.embeddings_by_id(core.fingerprint, ids)
    if not page.identities:
        return ()
    scores = core.model.score(embedding, page.embeddings).tolist()
    best: dict[str, _Scored] = {}
    rows = sorted(zip(scores, page.identities, page.reference_ids, strict=True), reverse=True)
    for score, identity, reference_id in rows:
        best.setdefault(identity, _Scored(identity, reference_id, score))
    return tuple(best.values())
