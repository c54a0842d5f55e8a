"""Whole verdicts on k references as one score each, from all pairs of some pictures.

Every rule of `model.fusion` is a score and one threshold. The share rule too: more
than the share v of k scores are above a threshold when the m-th highest of them is,
m the least number with m / k > v.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from model.contract import Fusion
from model.fusion import centroid, fuse
from model.runtimes.base import Runtime
from model.types import AnyArray, Array
from training.evaluation.attempts import Attempts
from training.evaluation.comparisons import Comparisons
from training.pairs import scores_between
from training.pictures import Embedded

RULES: tuple[Fusion, ...] = ("share", "max", "mean", "centroid")
DRAWS = 3
"""References are drawn anew so often; rates are of all draws together."""
MOST_VERDICTS = 2_000_000
_MOST_ENROLLED = 1500
_BLOCK = 4_000_000
_KEPT = 0.06
_FEW = 20_000


@dataclass(frozen=True)
class Gallery:
    """All that verdicts are made from.

    Attributes:
        comparisons: All pairs of `embedded`.
        weights: Of each picture in a centroid, such as its quality. Shape (N,);
            None: all equal.
        verification: Of the share rule.
    """

    embedded: Embedded
    comparisons: Comparisons
    runtime: Runtime
    verification: float
    weights: Array | None = None

    def more_than(self, references: int) -> int:
        """How many identities have pictures besides so many references."""
        return int((self.comparisons.images > references).sum())


def fewest_matches(references: int, verification: float) -> int | None:
    """The least number of matches that verifies; None if all of them do not."""
    enough = (n for n in range(references + 1) if n / references > verification)
    return next(enough, None)


def shared(scores: Array, verification: float) -> Array:
    """The share rule as one score: above a threshold when the verdict is "verified".

    Args:
        scores: Shape (..., k).

    Returns:
        Shape (...). With a verification threshold of 1 nobody is verified: 0.
    """
    references = scores.shape[-1]
    least = fewest_matches(references, verification)
    if least is None:
        return np.zeros(scores.shape[:-1], dtype=np.float32)
    place = references - max(1, least)
    found: Array = np.partition(scores, place, axis=-1)[..., place]
    return found


def verdict_attempts(gallery: Gallery, references: int, seed: int = 0) -> dict[Fusion, Attempts]:
    """Impostor and genuine verdicts of every rule.

    Of each identity with at least k pictures k are drawn. Its other pictures are its
    genuine probes, pictures of other identities its impostor probes; where those are
    more than a few million, identities and probes are drawn at random.
    """
    comparisons = gallery.comparisons
    generator = np.random.default_rng([seed, references])
    enrolled = np.flatnonzero(comparisons.images >= references)
    if len(enrolled) > _MOST_ENROLLED:
        enrolled = np.sort(generator.choice(enrolled, _MOST_ENROLLED, replace=False))
    probes = generator.permutation(len(comparisons.owner))[: MOST_VERDICTS // max(1, len(enrolled))]
    kept = {rule: _Kept() for rule in RULES}
    who: list[AnyArray] = []
    for _ in range(DRAWS):
        drawn = _Drawn.of(gallery, enrolled, references, generator)
        for block in np.array_split(probes, _blocks(len(probes), len(enrolled) * references)):
            people = np.stack(
                np.broadcast_arrays(enrolled[None], comparisons.owner[block][:, None]), axis=-1
            ).astype(np.int32)
            strangers = people[..., 0] != people[..., 1]
            for rule, scores in drawn.impostor_scores(block).items():
                kept[rule].impostors(scores[strangers], people[strangers])
        for number, own in drawn.genuine_probes():
            for rule, scores in drawn.genuine_scores(number, own).items():
                kept[rule].genuine.append(scores)
            who.append(np.full(len(own), enrolled[number]))
    count = len(comparisons.images)
    presented = np.bincount(comparisons.owner[probes], minlength=count)
    there = np.isin(np.arange(count), enrolled)
    owners = np.concatenate(who) if who else np.zeros(0, dtype=np.int64)
    return {rule: one.attempts(DRAWS * there, presented, owners) for rule, one in kept.items()}


@dataclass(frozen=True)
class _Drawn:
    """One draw: the references of each enrolled identity.

    Attributes:
        rows: Pictures. Shape (E, k).
        templates: Shape (E, D).
    """

    gallery: Gallery
    enrolled: NDArray[np.int64]
    rows: NDArray[np.int64]
    templates: Array

    @staticmethod
    def of(
        gallery: Gallery,
        enrolled: NDArray[np.int64],
        references: int,
        generator: np.random.Generator,
    ) -> _Drawn:
        owner, embeddings = gallery.comparisons.owner, gallery.embedded.embeddings
        order = generator.permutation(len(owner))
        order = order[np.argsort(owner[order], kind="stable")]
        starts = np.searchsorted(owner[order], enrolled)
        rows = order[starts[:, None] + np.arange(references)]
        weights = np.ones(len(owner)) if gallery.weights is None else gallery.weights
        templates = np.stack([centroid(embeddings[own], weights[own]) for own in rows])
        return _Drawn(gallery, enrolled, rows, templates)

    def impostor_scores(self, probes: AnyArray) -> Mapping[Fusion, Array]:
        """Fused scores of probes against every enrolled identity. Each of shape (P, E)."""
        enrolled, references = self.rows.shape
        scores = scores_between(self.gallery.comparisons, probes, self.rows.reshape(-1))
        return self._fused(scores.reshape(len(probes), enrolled, references), probes, None)

    def genuine_scores(self, number: int, probes: AnyArray) -> Mapping[Fusion, Array]:
        """Fused scores of probes against one enrolled identity. Each of shape (P,)."""
        scores = scores_between(self.gallery.comparisons, probes, self.rows[number])
        return self._fused(scores, probes, number)

    def genuine_probes(self) -> Iterator[tuple[int, AnyArray]]:
        """Numbers of enrolled identities, and those of their pictures that are no reference."""
        owner = self.gallery.comparisons.owner
        order = np.argsort(owner, kind="stable")
        starts = np.searchsorted(owner[order], self.enrolled)
        ends = np.searchsorted(owner[order], self.enrolled, side="right")
        for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
            own = np.setdiff1d(order[start:end], self.rows[number])
            if len(own):
                yield number, own

    def _fused(self, scores: Array, probes: AnyArray, number: int | None) -> Mapping[Fusion, Array]:
        if scores.shape[-1] == 1:
            # One reference is its own centroid, and all rules are one.
            return dict.fromkeys(RULES, shared(scores, self.gallery.verification))
        return {
            "share": shared(scores, self.gallery.verification),
            "max": fuse("max", scores),
            "mean": fuse("mean", scores),
            "centroid": self._against_templates(probes, number),
        }

    def _against_templates(self, probes: AnyArray, number: int | None) -> Array:
        templates = self.templates if number is None else self.templates[number : number + 1]
        runtime, embeddings = self.gallery.runtime, self.gallery.embedded.embeddings
        scores = np.stack([runtime.score(embeddings[row], templates) for row in probes])
        return scores if number is None else scores[:, 0]


@dataclass
class _Kept:
    """The highest impostor scores of one rule, and all genuine ones."""

    genuine: list[Array] = field(default_factory=list)
    _scores: list[Array] = field(default_factory=list)
    _people: list[AnyArray] = field(default_factory=list)
    _floor: float | None = None

    def impostors(self, scores: Array, people: AnyArray) -> None:
        if self._floor is None:
            few = len(scores) <= _FEW
            # The probes come in random order: the first ones are like all.
            self._floor = -1.0 if few else float(np.quantile(scores, 1 - _KEPT))
        high = scores >= self._floor
        self._scores.append(scores[high])
        self._people.append(people[high])

    def attempts(self, enrolled: AnyArray, presented: AnyArray, who: AnyArray) -> Attempts:
        scores = np.concatenate(self._scores)
        order = np.argsort(-scores, kind="stable")
        return Attempts(
            impostor=scores[order],
            people=np.concatenate(self._people)[order],
            enrolled=enrolled.astype(np.float64),
            presented=presented.astype(np.float64),
            genuine=np.concatenate([np.zeros(0, dtype=np.float32), *self.genuine]),
            who=who,
            repeats=DRAWS,
        )


def _blocks(probes: int, references: int) -> int:
    """Into how many blocks to cut the probes, so that one fits into memory."""
    return max(1, min(probes, -(-probes * references // _BLOCK)))
