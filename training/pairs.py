"""All pairs of a set of embeddings, scored, and LFW's list of pairs.

Thirty million pairs go through the artifact's own `score`, a probe against all
later pictures at a time; only the impostor scores that a threshold could fall
among are kept.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich.progress import track

from model.runtimes.base import Runtime
from model.types import Array
from training.metrics import Pairs
from training.pictures import Embedded

_FEWEST_KEPT = 2000


def all_pairs(embedded: Embedded, runtime: Runtime, loosest_fmr: float, *, quiet: bool) -> Pairs:
    """Scores every pair of pictures through the runtime's own `score`.

    Args:
        loosest_fmr: Impostor scores are kept as far down as this rate needs.
    """
    names, numbers = np.unique(embedded.identities, return_inverse=True)
    images = np.bincount(numbers, minlength=len(names))
    genuine: list[Array] = []
    genuine_identity = []
    kept: list[Array] = []
    kept_identities = []
    total = (len(numbers) ** 2 - int((images**2).sum())) / 2
    # Keep a little more than the loosest row needs, whatever the row order.
    floor = -1.0
    budget = int(total * loosest_fmr) + _FEWEST_KEPT
    rows = range(len(numbers) - 1)
    for row in track(rows, "score pairs", disable=quiet):
        scores = runtime.score(embedded.embeddings[row], embedded.embeddings[row + 1 :])
        same = numbers[row + 1 :] == numbers[row]
        genuine.append(scores[same])
        genuine_identity.append(np.full(int(same.sum()), numbers[row]))
        high = ~same & (scores > floor)
        kept.append(scores[high])
        others = numbers[row + 1 :][high]
        kept_identities.append(np.stack([np.full(len(others), numbers[row]), others], axis=1))
        if sum(map(len, kept)) > 4 * budget:
            kept, kept_identities = _highest(kept, kept_identities, budget)
            floor = float(kept[0][-1])
    kept, kept_identities = _highest(kept, kept_identities, budget)
    return Pairs(
        genuine=np.concatenate(genuine),
        genuine_identity=np.concatenate(genuine_identity),
        impostor=kept[0],
        impostor_identities=kept_identities[0],
        images=images,
    )


def _highest(
    scores: list[Array], identities: list[np.ndarray], count: int
) -> tuple[list[Array], list[np.ndarray]]:
    joined, who = np.concatenate(scores), np.concatenate(identities)
    order = np.argsort(-joined, kind="stable")[: count + 1]
    return [joined[order]], [who[order]]


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
