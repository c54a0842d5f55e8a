"""Pictures to measure an artifact on, wherever they came from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from model.runtimes.base import Runtime
from model.types import AnyArray, Image
from training.attributes.table import AttributeTable
from training.data.errors import DataError
from training.evaluation.comparisons import MISSED_ROW, Comparisons, joined_owners
from training.pictures import Embedded

MOST_PICTURES = 15_000


@dataclass(frozen=True)
class PairList:
    """Pairs that somebody chose, by name of the pictures.

    Attributes:
        pairs: (probe, reference) of each.
        same: Whether the two are of one person.
        folds: Fold of each pair, or None.
        groups: Group of each pair ("" for none), or None.
    """

    pairs: tuple[tuple[str, str], ...]
    same: tuple[bool, ...]
    folds: tuple[int, ...] | None = None
    groups: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Corpus:
    """Embedded pictures, and what is known of them.

    Attributes:
        dataset: Its name.
        source: In words, how pictures became chips.
        listed: Pairs to compare, or None.
        named: Whether the pictures' folders are identities, so that all pairs can
            be compared and galleries made.
        attributes: Of identities or pictures, to group pairs by.
        chip_of: The chip of a picture that the model saw; None if it has no face.
        notes: What a reader of the figures must know.
    """

    dataset: str
    source: str
    embedded: Embedded
    chip_of: Callable[[str], Image | None]
    listed: PairList | None = None
    named: bool = True
    attributes: AttributeTable | None = None
    notes: tuple[str, ...] = ()


def listed_comparisons(corpus: Corpus, runtime: Runtime) -> Comparisons:
    """The corpus's list of pairs, scored.

    A pair in which a picture shows no face has the score 0: it does not match,
    and counts as the failure that it is for a user.

    Raises:
        DataError: If there is no list, or it names a picture that was not looked at.
    """
    if corpus.listed is None:
        raise DataError("expected a list of pairs, found none")
    embedded, listed = corpus.embedded, corpus.listed
    row_of: dict[str, int] = dict.fromkeys(embedded.missed, MISSED_ROW) | embedded.index()
    for number, pair in enumerate(listed.pairs):
        for name in pair:
            if name not in row_of:
                raise DataError(
                    f"expected the picture '{name}' of pair {number + 1}, found nothing there"
                )
    rows = np.array([[row_of[name] for name in pair] for pair in listed.pairs], dtype=np.int32)
    same = np.array(listed.same, dtype=np.bool_)
    count = len(embedded.names)
    if corpus.named:
        _, owner = np.unique(embedded.identities, return_inverse=True)
    else:
        both = (rows != MISSED_ROW).all(axis=1) & same
        owner = joined_owners(count, [(int(one), int(other)) for one, other in rows[both]])
    return Comparisons(
        scores=pair_scores(rows, embedded, runtime.score),
        same=same,
        rows=rows,
        owner=owner,
        images=np.bincount(owner),
        listed=True,
        folds=None if listed.folds is None else np.array(listed.folds),
    )


def pair_scores(
    rows: AnyArray, embedded: Embedded, score: Callable[[AnyArray, AnyArray], AnyArray]
) -> AnyArray:
    """Score of each pair of rows, a probe at a time; 0 where a picture was missed.

    Args:
        rows: Shape (P, 2).
        score: Probe (D,) and references (M, D) -> (M,).

    Returns:
        Shape (P,), float32.
    """
    scores = np.zeros(len(rows), dtype=np.float32)
    known = np.flatnonzero((rows != MISSED_ROW).all(axis=1))
    order = known[np.argsort(rows[known, 0], kind="stable")]
    cuts = np.flatnonzero(np.diff(rows[order, 0])) + 1
    for part in np.split(order, cuts):
        if len(part):
            probe = embedded.embeddings[rows[part[0], 0]]
            scores[part] = score(probe, embedded.embeddings[rows[part, 1]])
    return scores


def thinned(corpus: Corpus, most: int = MOST_PICTURES, seed: int = 0) -> Corpus:
    """The corpus with at most so many pictures, of identities drawn at random.

    All pairs of 15,000 pictures are 110 million; of ten times as many they would
    not fit into memory.
    """
    embedded = corpus.embedded
    if len(embedded.names) <= most or not corpus.named:
        return corpus
    names, owner = np.unique(embedded.identities, return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(names))
    sizes = np.cumsum(np.bincount(owner)[order])
    chosen = np.isin(owner, order[sizes <= most])
    note = (
        f"{len(embedded.names):,} pictures are more than can be compared each with each: "
        f"{int(chosen.sum()):,} pictures of identities drawn at random were compared"
    )
    rows = np.flatnonzero(chosen)
    fewer = Embedded(
        names=tuple(embedded.names[row] for row in rows),
        identities=embedded.identities[rows],
        embeddings=embedded.embeddings[rows],
        missed=embedded.missed,
    )
    return replace(corpus, embedded=fewer, notes=(*corpus.notes, note))
