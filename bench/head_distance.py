"""Which distance should the siamese head measure? Figures for decisions 0002 and 0012.

Compares the cosine, which orders pairs as every direction at once does, the L1 distance
on the tower's own axes, and along tight frames of 1 .. 32 bases, on held-out identities
and on LFW:

    python -m bench.head_distance --dev celeba300 --lfw lfw
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from model.artifact import read_artifact
from model.faces import Detector
from model.frame import tight_frame
from model.runtimes.openvino_runtime import OpenVinoRuntime
from model.types import AnyArray, Array
from training.metrics import fold_accuracy
from training.pairs import read_lfw_pairs
from training.pictures import Embedded, embed_folder

Score = Callable[[Array, Array], Array]
_DEV_IMPOSTORS = 150_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", type=Path, required=True, help="one folder an identity")
    parser.add_argument("--lfw", type=Path, required=True)
    parser.add_argument("--artifact", type=Path, default=Path("models/sface"))
    options = parser.parse_args()
    artifact = read_artifact(options.artifact)
    runtime, detector = OpenVinoRuntime(artifact), Detector(artifact.detector)
    dev = embed_folder(options.dev, detector, runtime, quiet=False)
    lfw = embed_folder(options.lfw, detector, runtime, quiet=False)
    first, second, same = _dev_pairs(dev)
    print(f"{'distance':24} {'LFW 10-fold':>12} {'dev FNMR at FMR 1e-3':>22} {'1e-4':>8}")
    for name, score in _scores(dev.embeddings.shape[1]):
        accuracy = _lfw_accuracy(lfw, options.lfw, score)
        scores = score(dev.embeddings[first], dev.embeddings[second])
        at_1e3, at_1e4 = (_fnmr(scores, same, rate) for rate in (1e-3, 1e-4))
        print(f"{name:24} {100 * accuracy:10.2f} % {100 * at_1e3:20.2f} % {100 * at_1e4:6.2f} %")


def _scores(size: int) -> list[tuple[str, Score]]:
    named: list[tuple[str, Score]] = [
        ("cosine", lambda a, b: (a * b).sum(axis=1)),
        ("L1, own axes", lambda a, b: -np.abs(a - b).sum(axis=1)),
    ]
    for bases in (1, 2, 4, 8, 16, 32):
        frame = tight_frame(size, bases)
        named.append((f"L1, frame of {bases} bases", _along(frame)))
    return named


def _along(frame: Array) -> Score:
    def score(a: Array, b: Array) -> Array:
        # In blocks: a frame of 32 bases makes 4,096 numbers of each pair.
        blocks = range(0, len(a), 4096)
        return np.concatenate(
            [-np.abs((a[at : at + 4096] - b[at : at + 4096]) @ frame).sum(axis=1) for at in blocks]
        )

    return score


def _dev_pairs(dev: Embedded) -> tuple[AnyArray, AnyArray, AnyArray]:
    """All genuine pairs and a sample of impostors of a fifth of the identities."""
    generator = np.random.default_rng(1)
    identities = np.unique(dev.identities)
    chosen = generator.permutation(identities)[: len(identities) // 5]
    rows = np.flatnonzero(np.isin(dev.identities, chosen))
    first, second = np.triu_indices(len(rows), 1)
    same = dev.identities[rows[first]] == dev.identities[rows[second]]
    impostor = generator.choice(np.flatnonzero(~same), _DEV_IMPOSTORS, replace=False)
    taken = np.concatenate([np.flatnonzero(same), impostor])
    return rows[first[taken]], rows[second[taken]], same[taken]


def _lfw_accuracy(lfw: Embedded, folder: Path, score: Score) -> float:
    pairs, same, folds = read_lfw_pairs(folder / "pairs.txt")
    rows = lfw.index()
    first = [rows[a] for a, _ in pairs]
    second = [rows[b] for _, b in pairs]
    scores = score(lfw.embeddings[first], lfw.embeddings[second])
    return fold_accuracy(scores, np.array(same), np.array(folds)).mean


def _fnmr(scores: Array, same: AnyArray, rate: float) -> float:
    impostor = np.sort(scores[~same])
    threshold = impostor[-1 - int(rate * len(impostor))]
    return float(np.mean(scores[same] <= threshold))


if __name__ == "__main__":
    main()
