"""The table of every variant that was tried: accuracy, and milliseconds a face.

    python -m bench.variants --data celeba300 --lfw lfw --cache /tmp/variants

Celeba300: mean over five folds of identities, each judged with what was fitted on the
other four, over all pairs of the fold. What was chosen was chosen by these columns. LFW: fitted on
all of celeba300; the 6,000 pairs. Both without the head, whose threshold is another matter.
Pictures that are wrongly named are left out (`bench.variants_labels`).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.progress import track

from bench.variants_features import Crop, Found, Store, embeddings, find_faces
from bench.variants_fits import Halves
from bench.variants_labels import rightly_named
from bench.variants_lfw import ListOfPairs, lfw_pictures
from bench.variants_networks import load_networks
from bench.variants_table import DLIB, SFACE, VARIANTS, Variant
from bench.variants_timing import measure_steps, milliseconds
from model.artifact import read_artifact
from model.errors import SemblanceError
from model.faces import Detector
from model.types import AnyArray, Array
from training.evaluation.rates import allowed_false
from training.metrics import fold_accuracy
from training.pictures import picture_names, warm_up

RATES = (1e-3, 1e-4)
_FOLDS, _SEED = 5, 3


@dataclass(frozen=True)
class People:
    """Faces of a folder and each network's embeddings of them, by crop."""

    found: Found
    rows: dict[Crop, Array]

    def halves(self, variant: Variant, chosen: AnyArray) -> Halves:
        """Of some pictures: the sum over each half's crops."""
        return [
            np.sum([self.rows[crop][chosen] for crop in half], axis=0) for half in variant.halves
        ]


def main() -> None:
    options = _arguments()
    try:
        _run(options)
    except (SemblanceError, ValueError, OSError) as error:
        sys.exit(f"error: {error}")


def _run(options: argparse.Namespace) -> None:
    detector = warm_up(Detector(read_artifact(options.artifact).detector))
    networks = load_networks()
    crops = list(dict.fromkeys(crop for variant in VARIANTS for crop in variant.crops))

    def people(folder: Path, names: Sequence[str]) -> People:
        store = Store(options.cache, names)
        found = find_faces(folder, names, detector, store)
        return People(found, embeddings(found, crops, networks, store))

    dev = people(options.data, some_of(picture_names(options.data), options.limit))
    good = rightly_named(dev.rows[SFACE[0]], dev.rows[DLIB[0]], dev.found.identities)
    lfw = None
    if options.lfw is not None:
        names, listed = lfw_pictures(options.lfw, options.limit)
        tested = people(options.lfw, names)
        lfw = tested, listed(tested.found)
    steps = measure_steps(dev.found, networks, detector)
    print(
        f"{int(good.sum()):,} of {len(good):,} pictures, "
        f"{len(np.unique(dev.found.identities[good]))} identities; ms: "
        + ", ".join(f"{name} {spent:.1f}" for name, spent in steps.items())
        + "\n\n| variant | FNMR at FMR 1e-3 | at 1e-4 | LFW | TAR at FMR 1e-3 | ms a face |\n"
        "|---|---|---|---|---|---|"
    )
    for variant in track(VARIANTS, "judge"):
        cells = [percent(rate) for rate in dev_rates(variant, dev, good)]
        found = lfw_rates(variant, dev, good, *lfw) if lfw else (float("nan"),) * 2
        cells += [percent(number) for number in found]
        print(f"| {variant.name} | {' | '.join(cells)} | {milliseconds(variant, steps):.1f} |")


def dev_rates(variant: Variant, dev: People, good: AnyArray) -> NDArray[np.float64]:
    """FNMR at each of `RATES`: the mean over folds of identities. NaN with too few pairs."""
    identities = dev.found.identities
    names = np.random.default_rng(_SEED).permutation(np.unique(identities))
    rates = []
    for fold in range(_FOLDS):
        inside = np.isin(identities, names[fold::_FOLDS])
        fitted = variant.fit(dev.halves(variant, good & ~inside), identities[good & ~inside])
        tested = good & inside
        first, second = np.triu_indices(int(tested.sum()), 1)
        scores = fitted(dev.halves(variant, tested))(first, second)
        same = identities[tested][first] == identities[tested][second]
        rates.append([fnmr(scores, same, rate) for rate in RATES])
    return np.asarray(np.mean(rates, axis=0))


def lfw_rates(
    variant: Variant, dev: People, good: AnyArray, lfw: People, listed: ListOfPairs
) -> tuple[float, float]:
    """Accuracy over the ten folds, and TAR at FMR 1e-3, fitted on all of celeba300."""
    fitted = variant.fit(dev.halves(variant, good), dev.found.identities[good])
    everyone = np.ones(len(lfw.found.names), dtype=bool)
    scores = fitted(lfw.halves(variant, everyone))(listed.first, listed.second)
    accuracy = fold_accuracy(scores.astype(np.float32), listed.same, listed.folds)
    return accuracy.mean, 1 - fnmr(scores, listed.same, 1e-3)


def fnmr(scores: AnyArray, same: AnyArray, rate: float) -> float:
    """At the lowest threshold that keeps the FMR; NaN if no pair may be false."""
    impostor = np.sort(scores[~same])[::-1]
    allowed = allowed_false(rate, len(impostor))
    return float(np.mean(scores[same] <= impostor[allowed])) if allowed else float("nan")


def percent(share: float) -> str:
    """Of a table; a dash where there were too few pairs to say."""
    return f"{100 * share:.2f} %" if np.isfinite(share) else "-"


def some_of(names: list[str], limit: int | None) -> list[str]:
    """Those of the first `limit` identities."""
    chosen = sorted({name.split("/")[0] for name in names})[:limit]
    return [name for name in names if name.split("/")[0] in chosen]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="one folder an identity")
    parser.add_argument("--lfw", type=Path, help="folder with pairs.txt")
    parser.add_argument("--cache", type=Path, help="folder to keep embeddings in between runs")
    parser.add_argument("--limit", type=int, help="identities, to try the command out")
    parser.add_argument("--artifact", type=Path, default=Path("models/sface"), help="for YuNet")
    return parser.parse_args()


if __name__ == "__main__":
    main()
