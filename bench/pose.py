"""What a turned head costs: false non-matches where the two pictures' yaw differs most.

Of all genuine pairs, the half with the largest difference of yaw (estimated from
the detector's landmarks, `training.attributes.measure`; `--share` for another part)
against the others, at the threshold with an FMR of 1e-3; for several artifacts on
the same pairs:

    python -m bench.pose --data celeba300 --artifact models/sface --artifact models/fused

By default on the identities that the default head was not fitted on. The threshold
is from all impostor pairs, as a service has one threshold for all; and again from
those impostor pairs alone whose yaw differs as much. Intervals: bootstrap over
identities, the same draws for every artifact, the threshold found anew in each.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.dev_pictures import options_of, pictures_of
from model.artifact import Artifact, read_artifact
from model.errors import SemblanceError
from model.faces import Detector
from model.runtimes.openvino_runtime import OpenVinoRuntime
from model.types import AnyArray, Array
from training.attributes.intervals import drawn_pairs
from training.attributes.measure import measure_pictures
from training.evaluation.comparisons import Comparisons
from training.evaluation.intervals import Interval, draws_of, quantiles
from training.evaluation.rates import allowed_false
from training.pairs import all_pairs
from training.pictures import Embedded, chip_in, embed_chips, warm_up

_RATE = 1e-3
# Scores that may become a threshold in a resample: the highest of the impostor pairs.
_HEADROOM = 30


@dataclass(frozen=True)
class Misses:
    """False non-matches of one kind of genuine pairs at an FMR.

    Attributes:
        fnmr: At the threshold of all the data.
        resampled: In each resample, at its own threshold. Shape (RESAMPLES,).
    """

    fnmr: float
    resampled: AnyArray

    @property
    def interval(self) -> Interval:
        return quantiles(self.resampled)

    def fewer_than(self, other: Misses) -> tuple[float, Interval]:
        """Share of the other's false non-matches that are none here, with its interval."""
        with np.errstate(invalid="ignore", divide="ignore"):
            share = 1 - self.resampled / other.resampled
        return 1 - self.fnmr / other.fnmr if other.fnmr else 0.0, quantiles(share)


def misses_at(
    comparisons: Comparisons,
    genuine: NDArray[np.bool_],
    impostor: NDArray[np.bool_],
    draws: Array,
    rate: float = _RATE,
) -> Misses:
    """FNMR of some genuine pairs at the lowest threshold that keeps a rate on some impostors.

    Args:
        genuine, impostor: Masks of the pairs. Shape (P,).
        draws: From `draws_of`. Shape (RESAMPLES, identities).

    Raises:
        ValueError: If there are too few impostor pairs for the rate.
    """
    scores, owner = comparisons.scores, comparisons.owner
    of_genuine, whose = scores[genuine], owner[comparisons.rows[genuine, 0]]
    of_impostor, pairs = scores[impostor], owner[comparisons.rows[impostor]]
    allowed = allowed_false(rate, len(of_impostor))
    if not 1 <= allowed < len(of_impostor):
        raise ValueError(
            f"expected at least {1 / rate:,.0f} impostor pairs, found {len(of_impostor):,}"
        )
    totals = drawn_pairs(pairs, draws)[1:]
    order = np.argsort(-of_impostor, kind="stable")[: _HEADROOM * (allowed + 1)]
    highest, pairs = of_impostor[order], pairs[order]
    resampled = np.full(len(draws), np.nan)
    for number, drawn in enumerate(draws):
        above = np.cumsum(drawn[pairs[:, 0]] * drawn[pairs[:, 1]], dtype=np.float64)
        place = np.searchsorted(above, rate * totals[number] * (1 + 1e-9), side="right")
        weights = drawn[whose]
        if place < len(highest) and weights.sum():
            resampled[number] = np.average(of_genuine <= highest[place], weights=weights)
    return Misses(float(np.mean(of_genuine <= highest[allowed])), resampled)


def turned_pairs(
    yaw: AnyArray, comparisons: Comparisons, share: float = 0.5
) -> tuple[NDArray[np.bool_], float]:
    """Mask of the pairs whose yaw differs as in a share of the genuine pairs, or more.

    Args:
        yaw: Of each picture. Shape (N,).
        share: Of the genuine pairs, those with the largest difference.

    Returns:
        The mask, shape (P,), and the difference above which a pair is in it.
    """
    difference = np.abs(yaw[comparisons.rows[:, 0]] - yaw[comparisons.rows[:, 1]])
    edge = float(np.quantile(difference[comparisons.same], 1 - share))
    return difference > edge, edge


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--artifact", type=Path, action="append", required=True)
    parser.add_argument("--share", type=float, default=0.5, help="of genuine pairs, most turned")
    options = parser.parse_args()
    try:
        _run(options)
    except (SemblanceError, ValueError, OSError) as error:
        sys.exit(f"error: {error}")


def _run(options: argparse.Namespace) -> None:
    data, quiet, share = options.data, options.quiet, options.share
    if not 0 < share < 1:
        raise ValueError(f"expected --share between 0 and 1, found {share:g}")
    names = pictures_of(data, everyone=options.everyone, leave_out=options.leave_out)
    artifacts = [read_artifact(path) for path in options.artifact]
    measured = measure_pictures(data, names, Detector(artifacts[0].detector), quiet=quiet)
    yaw_of = {one.picture: one.values["yaw"] for one in measured if one.values is not None}
    runtimes = [OpenVinoRuntime(artifact) for artifact in artifacts]
    embedded = [
        _embed(data, names, artifact, runtime, quiet)
        for artifact, runtime in zip(artifacts, runtimes, strict=True)
    ]
    common = sorted(set(yaw_of).intersection(*(one.names for one in embedded)))
    yaw = np.array([yaw_of[name] for name in common])
    first: list[Misses] = []
    for path, runtime, one in zip(options.artifact, runtimes, embedded, strict=True):
        comparisons = all_pairs(_only(one, common), runtime, quiet=quiet)
        turned, edge = turned_pairs(yaw, comparisons, share)
        if not first:
            print(_heading(data.name, len(names), comparisons, edge))
        rows = _measure(comparisons, turned, share)
        first = first or [misses for _, _, misses in rows]
        for (pairs, threshold, misses), base in zip(rows, first, strict=True):
            print(_row(path.name, pairs, threshold, misses, base))


def _measure(
    comparisons: Comparisons, turned: NDArray[np.bool_], share: float
) -> list[tuple[str, str, Misses]]:
    same, draws = comparisons.same, draws_of(comparisons.images > 0, 0)
    most, rest = f"largest {100 * share:g} %", f"other {100 - 100 * share:g} %"
    return [
        ("all", "all", misses_at(comparisons, same, ~same, draws)),
        (rest, "all", misses_at(comparisons, same & ~turned, ~same, draws)),
        (most, "all", misses_at(comparisons, same & turned, ~same, draws)),
        (
            most,
            "differing as much",
            misses_at(comparisons, same & turned, ~same & turned, draws),
        ),
    ]


def _heading(name: str, pictures: int, comparisons: Comparisons, edge: float) -> str:
    genuine = int(comparisons.same.sum())
    return (
        f"{name}: {comparisons.identities} identities, {len(comparisons.owner):,} of {pictures:,} "
        f"pictures with a face for every artifact, {genuine:,} genuine and "
        f"{len(comparisons.same) - genuine:,} impostor pairs; largest: yaw differs by more than "
        f"{edge:.3f}\n\n"
        f"| artifact | genuine pairs by yaw difference | threshold of impostor pairs | FNMR at FMR "
        f"{_RATE:.0e} | 95 % | fewer than the first | 95 % |\n|---|---|---|---|---|---|---|"
    )


def _row(artifact: str, pairs: str, threshold: str, misses: Misses, base: Misses) -> str:
    low, high = misses.interval
    cells = [artifact, pairs, threshold, f"{100 * misses.fnmr:.2f} %"]
    cells.append(f"{100 * low:.2f} .. {100 * high:.2f} %")
    if misses is base:
        cells += ["", ""]
    else:
        share, (low, high) = misses.fewer_than(base)
        cells += [f"{100 * share:.1f} %", f"{100 * low:.1f} .. {100 * high:.1f} %"]
    return f"| {' | '.join(cells)} |"


def _embed(
    folder: Path, names: Sequence[str], artifact: Artifact, runtime: OpenVinoRuntime, quiet: bool
) -> Embedded:
    detector = warm_up(Detector(artifact.detector))
    chip_of = partial(chip_in, folder, detector, artifact.manifest)
    title = f"embed {artifact.manifest.name}"
    return embed_chips(list(names), chip_of, runtime, title, quiet=quiet)


def _only(embedded: Embedded, names: Sequence[str]) -> Embedded:
    row_of = embedded.index()
    rows = [row_of[name] for name in names]
    return Embedded(
        names=tuple(names),
        identities=embedded.identities[rows],
        embeddings=embedded.embeddings[rows],
        missed=(),
    )


if __name__ == "__main__":
    main()
