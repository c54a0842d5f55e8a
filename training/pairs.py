"""All pairs of a set of embeddings, scored, and LFW's list of pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich.progress import track

from model.runtimes.base import Runtime
from model.types import AnyArray, Array
from training.distance_head import known_head, score_all
from training.evaluation.comparisons import Comparisons
from training.pictures import Embedded


def all_pairs(embedded: Embedded, runtime: Runtime, *, quiet: bool) -> Comparisons:
    """Scores every pair of pictures through the runtime's own `score`.

    A picture against all later ones at a time; 13 bytes a pair are kept. Where the head
    is that of a default model, its arithmetic is done here, which is ten times as fast.
    """
    pairs = unscored_pairs(embedded)
    head = known_head(runtime, embedded.embeddings)
    if head is not None:
        score_all(head, embedded.embeddings, pairs.scores)
        return pairs
    count = len(embedded.names)
    at = 0
    for row in track(range(count - 1), "score pairs", disable=quiet):
        end = at + count - row - 1
        pairs.scores[at:end] = runtime.score(
            embedded.embeddings[row], embedded.embeddings[row + 1 :]
        )
        at = end
    return pairs


def unscored_pairs(embedded: Embedded) -> Comparisons:
    """Every pair of pictures, in the order of their rows, all with the score 0."""
    names, owner = np.unique(embedded.identities, return_inverse=True)
    count = len(owner)
    total = count * (count - 1) // 2
    same = np.empty(total, dtype=np.bool_)
    rows = np.empty((total, 2), dtype=np.int32)
    at = 0
    for row in range(count - 1):
        end = at + count - row - 1
        same[at:end] = owner[row + 1 :] == owner[row]
        rows[at:end, 0] = row
        rows[at:end, 1] = np.arange(row + 1, count)
        at = end
    return Comparisons(
        scores=np.zeros(total, dtype=np.float32),
        same=same,
        rows=rows,
        owner=owner,
        images=np.bincount(owner, minlength=len(names)),
    )


def scores_between(comparisons: Comparisons, ones: AnyArray, others: AnyArray) -> Array:
    """Scores of pictures against pictures, looked up; 0 of a picture against itself.

    Args:
        comparisons: Of `all_pairs`, whole and in its order.
        ones: Rows of pictures. Shape (P,).
        others: Shape (M,).

    Returns:
        Shape (P, M), float32.

    Raises:
        ValueError: If these are not all pairs.
    """
    count = len(comparisons.owner)
    if comparisons.listed or len(comparisons.scores) != count * (count - 1) // 2:
        raise ValueError("expected all pairs of the pictures, found some of them")
    left, right = ones.astype(np.int64)[:, None], others.astype(np.int64)[None]
    first, second = np.minimum(left, right), np.maximum(left, right)
    itself = first == second
    place = first * (2 * count - first - 1) // 2 + second - first - 1
    found: Array = np.where(itself, np.float32(0), comparisons.scores[np.where(itself, 0, place)])
    return found


def read_lfw_pairs(path: Path) -> tuple[list[tuple[str, str]], list[bool], list[int]]:
    """The 6,000 pairs of LFW's pairs.txt: names, same person or not, fold 0..9.

    Raises:
        ValueError: If a line is none of a pair's two forms.
    """
    lines = path.read_text(encoding="utf-8").splitlines()
    head = lines[0].split()
    fold_count, per_fold = (int(head[0]), int(head[1])) if len(head) == 2 else (1, int(head[0]))
    pairs, same, folds = [], [], []
    for number, line in enumerate(lines[1 : 1 + 2 * fold_count * per_fold]):
        match line.split():
            case [name, first, second]:
                pairs.append((_lfw_name(name, first), _lfw_name(name, second)))
                same.append(True)
            case [name, first, other, second]:
                pairs.append((_lfw_name(name, first), _lfw_name(other, second)))
                same.append(False)
            case _:
                raise ValueError(f"{path.name}: line {number + 2} is not a pair")
        folds.append(number // (2 * per_fold))
    return pairs, same, folds


def _lfw_name(name: str, number: str) -> str:
    return f"{name}/{name}_{int(number):04d}.jpg"
