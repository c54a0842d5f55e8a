"""The claimed false match rate lies in its interval on real people who were in no fit."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from model.artifact import Artifact
from model.faces import Detector
from model.runtimes.openvino_runtime import OpenVinoRuntime
from tests.faces import shared_data
from training.evaluation.attempts import Attempts, pair_attempts
from training.evaluation.held_out import claims, coverage
from training.evaluation.verdict_attempts import RULES, Gallery, verdict_attempts
from training.pairs import all_pairs
from training.pictures import embed_folder

# One person under two names, and pictures of several people mixed up: seen by eye
# among the false matches that score highest (docs/decisions, on calibration).
WRONGLY_NAMED = frozenset({"7310", "7312", "7314", "7316", "7317", "7319", "7320", "7393", "7450"})


def celeba(folder: Path, artifact: Artifact, people: int, pictures: int) -> Gallery:
    """The first pictures of some people of celeba300, or a skip that says what is missing."""
    data = shared_data()
    if data is None or not (data / "celeba300.tar").is_file():
        pytest.skip("the data set celeba300 is not on this machine")
    taken: dict[str, int] = {}
    with tarfile.open(data / "celeba300.tar") as packed:
        for member in sorted(packed.getmembers(), key=lambda one: one.name):
            who = Path(member.name).parent.name
            if not member.isfile() or who in WRONGLY_NAMED:
                continue
            if (who not in taken and len(taken) == people) or taken.get(who, 0) == pictures:
                continue
            taken[who] = taken.get(who, 0) + 1
            packed.extract(member, folder, filter="data")
    (root,) = {path.parents[1] for path in folder.rglob("*.jpg")}
    runtime = OpenVinoRuntime(artifact)
    embedded = embed_folder(root, Detector(artifact.detector), runtime, quiet=True)
    return Gallery(embedded, all_pairs(embedded, runtime, quiet=True), runtime, 0.5)


def tried(gallery: Gallery, references: tuple[int, ...]) -> dict[str, Attempts]:
    """Single pairs, and whole verdicts of every rule."""
    found = {"pair": pair_attempts(gallery.comparisons, 1e-2)}
    for k in references:
        by_rule = verdict_attempts(gallery, k)
        found |= {f"{rule} of {k}": by_rule[rule] for rule in RULES}
    return found


@pytest.mark.long
def test_the_claim_of_half_the_people_holds_for_the_others(
    artifact: Artifact, tmp_path: Path
) -> None:
    """Of one split in detail; of ten splits as often as 95 % intervals should."""
    gallery = celeba(tmp_path, artifact, people=80, pictures=7)
    attempts = tried(gallery, (3,))
    for one in claims(attempts["pair"], (1e-2, 1e-3), seed=1):
        assert one.claimed.fmr_measured <= one.claimed.fmr
        assert one.fmr_holds, f"claimed {one.claimed}, found FMR {one.fmr:.2e}"
        # The claim itself is no empty one.
        assert one.claimed.fmr_interval[1] < 10 * one.claimed.fmr
    held = [one.fmr_held for some in attempts.values() for one in coverage(some, (1e-2, 1e-3), 10)]
    assert min(held) >= 0.7
    assert sum(held) / len(held) >= 0.9


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_intervals_hold_as_often_as_they_say(artifact: Artifact, tmp_path: Path) -> None:
    gallery = celeba(tmp_path, artifact, people=300, pictures=30)
    held = []
    for name, attempts in tried(gallery, (5,)).items():
        for one in coverage(attempts, (1e-2, 1e-3, 1e-4), 20):
            print(f"{name} at {one.fmr:.0e}: held in {one.fmr_held:.0%} of the splits")
            held.append(one.fmr_held)
            assert one.fmr_held >= 0.8
    assert sum(held) / len(held) >= 0.93
