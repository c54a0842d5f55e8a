"""The comparison on turned heads, and the held-out identities, against counting by hand."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from bench.dev_pictures import held_out, pictures_of
from bench.pose import Misses, misses_at, turned_pairs
from tests.running import ROOT
from tests.unit.evaluation_samples import every_pair
from training.evaluation.intervals import draws_of
from training.head import fit_head
from training.pictures import Embedded


def test_misses_and_their_resamples_are_counted_as_by_hand() -> None:
    pairs = every_pair([6] * 12, 1, apart=3)
    turned = np.random.default_rng(2).random(len(pairs.same)) < 0.5
    draws = draws_of(pairs.images > 0, 0)
    rate = 0.02
    found = misses_at(pairs, pairs.same & turned, ~pairs.same & turned, draws, rate)

    def fnmr(copies: list[int]) -> float:
        """With each pair written down as often as its people were drawn."""
        genuine: list[float] = []
        impostor: list[float] = []
        for score, same, rows, chosen in zip(
            pairs.scores, pairs.same, pairs.rows, turned, strict=True
        ):
            one, other = (copies[pairs.owner[row]] for row in rows)
            if chosen:
                (genuine if same else impostor).extend([score] * (one if same else one * other))
        impostor.sort(reverse=True)
        threshold = impostor[int(rate * len(impostor))]
        return float(np.mean(np.array(genuine) <= threshold))

    assert found.fnmr == fnmr([1] * 12)
    for number in range(0, 1000, 100):
        expected = fnmr([int(copies) for copies in draws[number]])
        assert found.resampled[number] == pytest.approx(expected)
    low, high = found.interval
    assert low < found.fnmr < high


def test_a_share_of_fewer_misses() -> None:
    one = Misses(0.2, np.array([0.2, 0.4, 0.3]))
    half = Misses(0.1, np.array([0.1, 0.2, 0.15]))
    share, (low, high) = half.fewer_than(one)
    assert (share, low, high) == pytest.approx((0.5, 0.5, 0.5))
    assert one.fewer_than(one)[0] == 0


def test_too_few_impostor_pairs() -> None:
    pairs = every_pair([3] * 3, 3)
    draws = draws_of(pairs.images > 0, 0)
    with pytest.raises(ValueError, match="expected at least 1,000 impostor pairs, found 27"):
        misses_at(pairs, pairs.same, ~pairs.same, draws)


def test_the_larger_half_is_half_of_the_genuine_pairs() -> None:
    pairs = every_pair([5] * 8, 4)
    yaw = np.random.default_rng(5).normal(0, 0.3, len(pairs.owner))
    turned, edge = turned_pairs(yaw, pairs)
    assert (turned & pairs.same).sum() == pairs.same.sum() // 2
    for (one, other), far in zip(pairs.rows, turned, strict=True):
        assert far == (abs(yaw[one] - yaw[other]) > edge)


def made_up(spoilt: set[str]) -> Embedded:
    """Twenty identities told apart with ease, but for those whose embeddings are at random."""
    generator = np.random.default_rng(6)
    names, rows = [], []
    for number in range(20):
        identity = f"p{number:02d}"
        centre = np.eye(32)[number]
        for picture in range(3):
            noise = generator.normal(0, 0.02, 32)
            row = generator.normal(0, 1, 32) if identity in spoilt else centre + noise
            names.append(f"{identity}/{picture}.jpg")
            rows.append(row / np.linalg.norm(row))
    return Embedded(
        names=tuple(names),
        identities=np.array([name.split("/")[0] for name in names]),
        embeddings=np.array(rows, dtype=np.float32),
        missed=(),
    )


def test_the_held_out_identities_are_those_that_the_head_is_judged_on() -> None:
    everyone = {f"p{number:02d}" for number in range(20)}
    mine = held_out([*everyone, "p00"])
    assert len(mine) == 4
    # Spoiling them, and them alone, spoils what the fit reports of held-out identities.
    judged = fit_head(made_up(set(mine)), "made up").provenance["dev_accuracy"]
    assert float(judged) < 0.9
    others = sorted(everyone - set(mine))
    for spoilt in (others[:4], others[4:8], others[8:12], others[12:]):
        assert fit_head(made_up(set(spoilt)), "made up").provenance["dev_accuracy"] == 1


@pytest.mark.parametrize("name", ["fused", "sface"])
def test_as_many_are_held_out_as_a_kept_head_says(name: str) -> None:
    fitted = json.loads((ROOT / "training" / "fitted" / f"{name}_head.json").read_text())
    of = fitted["provenance"]
    everyone = of["fit_identities"] + of["dev_identities"]
    assert len(held_out(str(number) for number in range(everyone))) == of["dev_identities"]


def test_pictures_to_leave_out(tmp_path: Path) -> None:
    for name in ("a/1.jpg", "a/2.jpg", "a/3.jpg", "b/1.jpg", "b/2.jpg", "c/1.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    listed = tmp_path / "wrong.txt"
    listed.write_text("# of another person\na/3.jpg  # her sister\n\n")
    names = pictures_of(tmp_path, everyone=True, leave_out=listed)
    assert names == ["a/1.jpg", "a/2.jpg", "b/1.jpg", "b/2.jpg"]
    listed.write_text("a/9.jpg\n")
    with pytest.raises(ValueError, match=r"found 'a/9\.jpg', which is none"):
        pictures_of(tmp_path, everyone=True, leave_out=listed)
    with pytest.raises(ValueError, match="expected two identities of two pictures, found 0"):
        pictures_of(tmp_path, everyone=False, leave_out=None)
