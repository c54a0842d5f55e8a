"""How often a stream of frames is verified, rightly and wrongly.

    python -m bench.stream --data FOLDER      one folder an identity

There are no films of strangers here, so that rows of frames are made of single pictures: the
face moves, turns, comes nearer, the light and the camera's noise change from frame to frame.
Such frames are as alike as those of one second, or more, since the expression stays: what
makes people resemble each other is the same in all of them.

Of each person some pictures are references and others become rows; each row is held against
everybody. Printed: how alike frames of one row are, and for a single frame, for "any frame of
the row", and for the sequential test, the share of rows of the person that are not verified
(FNMR) and of rows of others that are (FMR), with 95 % intervals over people, and the frames
that it took.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from model.artifact import read_artifact
from model.contract import Manifest
from model.faces import Detector
from model.image import Limits
from model.types import Array, Image
from service.core.core import Core
from service.core.errors import NoFace
from service.core.perceive import perceive
from service.core.policy import Policy
from service.core.sequential import WEIGHT, Evidence
from service.core.stopwatch import Stopwatch
from service.core.verdict_table import Verdict, verdict_fmr
from service.runtime.load import load_runtime
from service.storage.memory_store import MemoryStore

_SEED = 20261126
_RESAMPLES = 500
_LIMITS = Limits(2**31, 2**31, 1)


@dataclass(frozen=True)
class Rows:
    """Scores of rows of frames against the references of everybody.

    Attributes:
        owner: Whose row it is, by number. Shape (R,).
        scores: Shape (R, F, P, K): row, frame, person, reference.
    """

    owner: Array
    scores: Array


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("artifact", type=Path, nargs="?", default=Path("models/fused"))
    parser.add_argument("--data", type=Path, required=True, help="one folder an identity")
    parser.add_argument("--leave-out", default="", help="identities known to be wrongly named")
    parser.add_argument("--references", type=int, default=3)
    parser.add_argument("--rows", type=int, default=2, help="of each person")
    parser.add_argument("--frames", type=int, default=30)
    parser.add_argument("--rate", type=float, default=10, help="frames a second")
    chosen = parser.parse_args()
    artifact = read_artifact(chosen.artifact)
    runtime = load_runtime("openvino", artifact, 0)
    core = Core(runtime, Detector(artifact.detector), MemoryStore(), Policy(limits=_LIMITS))
    rows = _rows(core, chosen)
    report(rows, artifact.manifest, chosen.rate)


def _rows(core: Core, chosen: argparse.Namespace) -> Rows:
    noise = np.random.default_rng(_SEED)
    references, owners, frames = [], [], []
    left_out = set(chosen.leave_out.split(","))
    people = [one for one in sorted(chosen.data.iterdir()) if one.name not in left_out]
    number = 0
    for person in people:
        pictures = [_read(path) for path in sorted(person.iterdir())]
        found = [_embedded(core, picture) for picture in pictures]
        usable = [place for place, one in enumerate(found) if one is not None]
        if len(usable) < chosen.references + chosen.rows:
            continue
        kept = [found[place] for place in usable[: chosen.references]]
        references.append(np.stack([one for one in kept if one is not None]))
        for place in usable[chosen.references :][: chosen.rows]:
            made = _moving(pictures[place], chosen.frames, noise)
            owners.append(number)
            frames.append([_embedded(core, frame) for frame in made])
        number += 1
    everybody = np.concatenate(references)
    shape = (len(frames), chosen.frames, number, chosen.references)
    scores = np.zeros(shape, np.float32)
    for row, embeddings in enumerate(frames):
        for place, one in enumerate(embeddings):
            # Where no face was found the frame says nothing: no score is above any threshold.
            if one is not None:
                scores[row, place] = core.model.score(one, everybody).reshape(number, -1)
            else:
                scores[row, place] = np.nan
    print(f"{number} people, {len(frames)} rows of {chosen.frames} frames", flush=True)
    return Rows(np.array(owners), scores)


def _read(path: Path) -> Image:
    picture = cv2.imread(str(path))
    assert picture is not None, f"'{path}' is no picture"
    read: Image = picture.astype(np.uint8)
    return read


def _embedded(core: Core, picture: Image) -> Array | None:
    """By way of a JPEG, as a camera's frame; None if no face is found."""
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])
    try:
        percept = perceive(core, data.tobytes(), "largest", Stopwatch())
    except NoFace:
        return None
    embedding: Array = core.model.embed(percept.chip[None])[0]
    return embedding


def _moving(picture: Image, count: int, noise: np.random.Generator) -> Iterator[Image]:
    """Frames of 480 x 480 in which the picture wanders, as a head before a camera."""
    height, width = picture.shape[:2]
    state = np.zeros(5)
    for _ in range(count):
        # Each is near the one before: x, y, zoom, angle, light.
        state = 0.8 * state + noise.normal(size=5)
        zoom = 420 / max(height, width) * float(np.exp(0.05 * state[2]))
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), 2.5 * float(state[3]), zoom)
        turn[:, 2] += (240 - width / 2 + 8 * state[0], 240 - height / 2 + 8 * state[1])
        frame = cv2.warpAffine(picture, turn, (480, 480), borderMode=cv2.BORDER_REFLECT)
        lit = frame * float(np.exp(0.08 * state[4])) + noise.normal(0, 4, frame.shape)
        blur = noise.random() < 0.2
        made = np.clip(lit, 0, 255).astype(np.uint8)
        yield cv2.GaussianBlur(made, (0, 0), 1.5) if blur else made


def report(rows: Rows, manifest: Manifest, rate: float) -> None:
    """Prints the table."""
    share, threshold = manifest.verification_threshold, manifest.detection_threshold
    count = rows.scores.shape[3]
    bound = Verdict("share", count, share)
    fmr = verdict_fmr(manifest.calibration, bound, threshold)
    fnmr = manifest.calibration.fnmr_of(threshold)
    matches = (rows.scores > threshold).sum(axis=3) / count > share
    there = ~np.isnan(rows.scores[:, :, 0, 0])
    print(f"a frame's verdict by the manifest: FMR {fmr}, FNMR {fnmr}")
    print(f"alike within a row: {_alike(rows):.2f} of the variance of scores is between rows\n")
    ends = [
        _sequential(matches, there, (fmr, fnmr), rate=rate, weight=weight)
        for weight in (WEIGHT, 1.0)
    ]
    table = {
        "the first frame alone": (matches[:, 0], None),
        "any frame of the row": (matches.any(axis=1), None),
        "most frames of the row": (matches.mean(axis=1) > 0.5, None),
        "sequential, as it is": ends[0],
        "sequential, as if frames were independent": ends[1],
    }
    print("| verdict by | FNMR | 95 % | FMR | 95 % | frames, person | frames, others |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name, (verified, taken) in table.items():
        print(f"| {name} | {_rates(rows.owner, verified)} | {_frames(rows.owner, taken)} |")


def _alike(rows: Rows) -> float:
    """Share of the variance of a stranger's logits that is the same in all frames of a row."""
    best = rows.scores.max(axis=3)
    best[np.arange(len(rows.owner)), :, rows.owner] = np.nan
    clipped = np.clip(best, 1e-9, 1 - 1e-9)
    logits = np.log(clipped / (1 - clipped))
    with warnings.catch_warnings():
        # Of one's own row there is none.
        warnings.simplefilter("ignore", RuntimeWarning)
        within = np.nanmean(np.nanvar(logits, axis=1))
    return float(1 - within / np.nanvar(logits))


def _sequential(
    matches: Array,
    there: Array,
    rates: tuple[float | None, float | None],
    rate: float,
    weight: float,
) -> tuple[Array, Array]:
    """Verdicts and the frames they took, each (R, P)."""
    rows, frames, people = matches.shape
    verified, taken = np.zeros((rows, people), bool), np.full((rows, people), frames)
    for row, person in np.ndindex(rows, people):
        evidence = Evidence(weight=weight)
        for frame in np.flatnonzero(there[row]):
            evidence.add(bool(matches[row, frame, person]), fmr=rates[0], fnmr=rates[1])
            said = evidence.verdict(frame / rate)
            if said != "undecided":
                verified[row, person] = said == "verified"
                taken[row, person] = frame + 1
                break
    return verified, taken


def _rates(owner: Array, verified: Array) -> str:
    """FNMR and FMR with intervals over people."""
    own = verified[np.arange(len(owner)), owner]
    others = verified.copy()
    others[np.arange(len(owner)), owner] = False
    false_match = others.sum(axis=1) / (verified.shape[1] - 1)
    cells = []
    for values in ((~own).astype(float), false_match):
        low, high = _interval(owner, values)
        cells += [f"{100 * values.mean():.3f} %", f"{100 * low:.3f} to {100 * high:.3f} %"]
    return " | ".join(cells)


def _interval(owner: Array, values: Array) -> tuple[float, float]:
    """95 % of the means of people drawn anew."""
    people = np.unique(owner)
    sums = np.array([values[owner == one].sum() for one in people])
    counts = np.array([(owner == one).sum() for one in people])
    drawn = np.random.default_rng(_SEED).integers(len(people), size=(_RESAMPLES, len(people)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def _frames(owner: Array, taken: Array | None) -> str:
    if taken is None:
        return " | "
    own = taken[np.arange(len(owner)), owner]
    return f"{np.median(own):.0f} | {np.median(taken):.0f}"


if __name__ == "__main__":
    main()
