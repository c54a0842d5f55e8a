"""What a poor probe costs: each kind of degradation, step by step, as a Markdown table.

    python -m bench.degraded --data celeba300 --artifact models/fused --out degraded.md

Pictures of identities that the default head was not fitted on are degraded and go
through the path of a request (detect, the face nearest the middle, align, embed);
each is a probe against every other picture as it was. Thresholds stay where they
were: the model's own, and the one with an FMR of 1e-3 on the pictures as they were.
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

from bench.degradations import PLAIN, Degradation, degradations
from bench.dev_pictures import options_of, pictures_of
from model.artifact import read_artifact
from model.chip import chip_of, located
from model.errors import SemblanceError
from model.faces import Detector, Face, nearest_centre
from model.image import ImageError, Limits, decode
from model.runtimes.base import Runtime
from model.runtimes.openvino_runtime import OpenVinoRuntime
from model.types import AnyArray, Array, Image
from training.attributes.intervals import drawn_pairs, pairs_interval
from training.evaluation.groups import threshold_at
from training.evaluation.intervals import Interval, draws_of, share_interval

_RATE = 1e-3
_BATCH = 32


@dataclass(frozen=True)
class Picture:
    """One picture as it was, with its face."""

    identity: str
    path: Path
    face: Face
    size: tuple[int, int]

    def read(self) -> Image:
        return decode(self.path.read_bytes(), Limits())


@dataclass(frozen=True)
class Outcome:
    """What became of one degradation's probes.

    Attributes:
        probes: Pictures that it could be done to.
        missed: Of them, those in which no face was found any more.
        fnmr: Of genuine pairs whose probe shows a face, at the FMR 1e-3 threshold of
            pictures as they were.
        lost: Of all genuine pairs: no face, or no match at that threshold.
        fmr: At that threshold, of impostor pairs whose probe shows a face.
        fnmr_in_force, fmr_in_force: The same at the model's threshold.
    """

    probes: int
    missed: int
    fnmr: float
    fnmr_interval: Interval
    lost: float
    fmr: float
    fmr_interval: Interval
    fnmr_in_force: float
    fmr_in_force: float


class Bench:
    """Pictures of some identities, embedded as they were, against degraded ones."""

    def __init__(self, pictures: Sequence[Picture], detector: Detector, runtime: Runtime) -> None:
        self._pictures, self._detector, self._runtime = pictures, detector, runtime
        names, self._owner = np.unique([one.identity for one in pictures], return_inverse=True)
        self._draws = draws_of(np.ones(len(names), dtype=np.bool_), 0)
        chips = [self._chip(one.read(), one.face) for one in pictures]
        self._references = self._embed(chips)
        scores = self._scores(self._references)
        rows, columns = np.triu_indices(len(pictures), 1)
        impostor = self._owner[rows] != self._owner[columns]
        descending = -np.sort(-scores[rows[impostor], columns[impostor]])
        threshold = threshold_at(descending, _RATE)
        if threshold is None:
            raise ValueError(f"expected 1,000 impostor pairs at least, found {len(descending)}")
        self.threshold = threshold

    def outcome(self, degradation: Degradation) -> Outcome | None:
        """None if it could be done to no picture."""
        rows, missed, chips = [], [], []
        for row, picture in enumerate(self._pictures):
            image = degradation.apply(picture.read(), picture.face)
            if image is None:
                continue
            found = self._detector.detect(image)
            if found:
                rows.append(row)
                chips.append(self._chip(image, nearest_centre(found, image.shape[:2])))
            else:
                missed.append(row)
        if not rows and not missed:
            return None
        return self._judge(np.array(rows, dtype=int), missed, self._scores(self._embed(chips)))

    def _judge(self, rows: AnyArray, missed: Sequence[int], scores: Array) -> Outcome:
        probe, reference = np.nonzero(rows[:, None] != np.arange(len(self._owner))[None])
        people = np.stack([self._owner[rows[probe]], self._owner[reference]], axis=1)
        of_pair = scores[probe, reference]
        same = people[:, 0] == people[:, 1]
        genuine, impostor = of_pair[same], of_pair[~same]
        in_force = self._runtime.manifest.detection_threshold
        wrong = genuine <= self.threshold
        count = self._draws.shape[1]
        false = people[~same][impostor > self.threshold]
        sizes = np.bincount(self._owner, minlength=count)
        unseen = int((sizes[self._owner[list(missed)]] - 1).sum())
        return Outcome(
            probes=len(rows) + len(missed),
            missed=len(missed),
            fnmr=_share(wrong),
            fnmr_interval=share_interval(
                np.bincount(people[same, 0][wrong], minlength=count),
                np.bincount(people[same, 0], minlength=count),
                self._draws,
            ),
            lost=(int(wrong.sum()) + unseen) / max(1, len(genuine) + unseen),
            fmr=_share(impostor > self.threshold),
            fmr_interval=pairs_interval(
                false, drawn_pairs(people[~same], self._draws), self._draws
            ),
            fnmr_in_force=_share(genuine <= in_force),
            fmr_in_force=_share(impostor > in_force),
        )

    def _chip(self, image: Image, face: Face) -> Image:
        manifest = self._runtime.manifest
        return chip_of(image, located(self._detector, image, face, manifest), manifest)

    def _embed(self, chips: Sequence[Image]) -> Array:
        blocks = [np.zeros((0, self._runtime.manifest.embedding_size), dtype=np.float32)]
        for at in range(0, len(chips), _BATCH):
            blocks.append(self._runtime.embed(np.stack(chips[at : at + _BATCH])))
        return np.concatenate(blocks)

    def _scores(self, probes: Array) -> Array:
        """Of each probe against each reference. Shape (P, N)."""
        rows = [self._runtime.score(probe, self._references) for probe in probes]
        return np.stack(rows) if rows else np.zeros((0, len(self._references)), np.float32)


def open_pictures(folder: Path, names: Sequence[str], detector: Detector) -> list[Picture]:
    """The pictures that show a face as they are."""
    pictures = []
    for name in names:
        try:
            image = decode((folder / name).read_bytes(), Limits())
        except ImageError:
            continue
        if found := detector.detect(image):
            size = image.shape[:2]
            face = nearest_centre(found, size)
            pictures.append(Picture(name.split("/")[0], folder / name, face, size))
    return pictures


def row_of(name: str, found: Outcome) -> str:
    """A row of the table."""
    low, high = found.fnmr_interval
    fmr_low, fmr_high = found.fmr_interval
    cells = [
        name,
        f"{found.probes:,}",
        f"{100 * found.missed / found.probes:.1f} %",
        f"{100 * found.fnmr:.1f} % ({100 * low:.1f} .. {100 * high:.1f})",
        f"{100 * found.lost:.1f} %",
        f"{found.fmr:.1e} ({fmr_low:.1e} .. {fmr_high:.1e})",
        f"{100 * found.fnmr_in_force:.1f} %",
        f"{found.fmr_in_force:.1e}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = options_of(__doc__)
    parser.add_argument("--artifact", type=Path, default=Path("models/fused"))
    parser.add_argument("--pictures", type=int, default=10, help="of each identity, at most")
    parser.add_argument("--out", type=Path, help="Markdown file to write besides")
    options = parser.parse_args()
    try:
        _run(options)
    except (SemblanceError, ValueError, OSError) as error:
        sys.exit(f"error: {error}")


def _run(options: argparse.Namespace) -> None:
    names = pictures_of(options.data, everyone=options.everyone, leave_out=options.leave_out)
    artifact = read_artifact(options.artifact)
    detector, runtime = Detector(artifact.detector), OpenVinoRuntime(artifact)
    pictures = open_pictures(options.data, _first(names, options.pictures), detector)
    bench = Bench(pictures, detector, runtime)
    manifest = artifact.manifest
    eyes = np.median(
        [float(np.hypot(*(p.face.landmarks[1] - p.face.landmarks[0]))) for p in pictures]
    )
    lines = [
        f"{manifest.name} on {options.data.name}: {len(pictures):,} pictures of "
        f"{len({one.identity for one in pictures})} identities, eyes {eyes:.0f} px apart (median); "
        f"threshold {bench.threshold:.6f} has an FMR of {_RATE:.0e} on the pictures as they are; "
        f"the model's own is {manifest.detection_threshold:.6f}",
        "",
        "| probe | probes | no face found | FNMR at FMR 1e-3 (95 %) | no face or no match | FMR "
        "there (95 %) | FNMR, model's threshold | FMR there |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for degradation in track([PLAIN, *degradations()], "degrade", disable=options.quiet):
        found = bench.outcome(degradation)
        if found is not None:
            lines.append(row_of(degradation.name, found))
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if options.out is not None:
        part = options.out.with_name(f".{options.out.name}.part")
        part.write_text(text, encoding="utf-8")
        part.replace(options.out)


def _first(names: Sequence[str], most: int) -> list[str]:
    """At most so many pictures of each identity, in the order of names."""
    taken: dict[str, int] = {}
    chosen = []
    for name in names:
        identity = name.split("/")[0]
        taken[identity] = taken.get(identity, 0) + 1
        if taken[identity] <= most:
            chosen.append(name)
    return chosen


def _share(wrong: NDArray[np.bool_]) -> float:
    return float(wrong.mean()) if len(wrong) else 0.0


if __name__ == "__main__":
    main()
