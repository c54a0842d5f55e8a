"""What an epoch trains on: whole, seeded, and no picture on two sides."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from training.data.chips import Tower
from training.data.errors import DataError
from training.data.paper import PaperLayout, choose_folders
from training.data.splits import Shares, SplitBy, split_chips
from training.evaluation.prepared import SPLITS
from training.fitting.chip_set import ChipSet
from training.fitting.pairs import drawn_pairs, judged_pairs, paper_pairs, rows_of
from training.fitting.pipeline import own_part
from training.fitting.schedule import epoch_of
from training.fitting.settings import FitSettings, Loss

KOCH = FitSettings(Tower.KOCH, batch=8)


def chip_set(by: SplitBy = SplitBy.IMAGE, *, paper: bool = False) -> ChipSet:
    """Rows of 6 people with 30 pictures each; no files."""
    names = tuple(sorted(f"person{who}/{n:03d}.png" for who in range(6) for n in range(30)))
    splits = split_chips(list(names), by, Shares(0.2, 0.2), seed=3)
    home = {name: SPLITS.index(split) for split, mine in splits.items() for name in mine}
    row = {name: number for number, name in enumerate(names)}
    layout = PaperLayout("person0", per_folder=20, overlap=True)
    folders = choose_folders(list(names), layout, 3)
    return ChipSet(
        folder=Path("nowhere"),
        names=names,
        identities=np.array([int(name[6]) for name in names]),
        split=np.array([home[name] for name in names]),
        size=(105, 105),
        paper={key: np.array([row[one] for one in mine]) for key, mine in folders.items()}
        if paper
        else None,
    )


def test_no_picture_of_a_held_out_paper_pair_is_trained_on() -> None:
    chips = chip_set(paper=True)
    seen = {split: set(rows_of(paper_pairs(chips, split)).tolist()) for split in SPLITS}
    assert all(seen.values())
    assert not seen["train"] & (seen["dev"] | seen["test"])
    assert not seen["dev"] & seen["test"]


def test_paper_pairs_are_of_the_target_and_never_a_picture_with_itself() -> None:
    chips = chip_set(paper=True)
    pairs = paper_pairs(chips, "train")
    assert set(chips.identities[pairs.probe]) == {0}
    same = chips.identities[pairs.reference] == 0
    np.testing.assert_array_equal(same, pairs.same > 0.5)
    assert 0.4 < pairs.same.mean() < 0.6
    assert np.all(pairs.probe != pairs.reference)


def test_drawn_pairs_are_half_genuine_and_truly_so() -> None:
    chips = chip_set()
    pairs = drawn_pairs(chips, "train", 500, np.random.default_rng(1))
    assert pairs.same.mean() == 0.5
    alike = chips.identities[pairs.probe] == chips.identities[pairs.reference]
    np.testing.assert_array_equal(alike, pairs.same > 0.5)
    assert np.all(pairs.probe != pairs.reference)
    assert set(rows_of(pairs)) <= set(chips.rows("train"))


def test_a_split_of_one_identity_has_no_pairs_and_says_so() -> None:
    chips = replace(chip_set(), identities=np.zeros(180, dtype=int))
    with pytest.raises(DataError, match="expected two identities in the split 'train'"):
        epoch_of(chips, KOCH, 1, 1)
    assert judged_pairs(chips, "dev") is None


@pytest.mark.parametrize("loss", list(Loss))
def test_an_epoch_is_its_seed_and_number(loss: Loss) -> None:
    chips, settings = chip_set(), replace(KOCH, loss=loss)
    first, again = epoch_of(chips, settings, 3, 1), epoch_of(chips, settings, 3, 1)
    np.testing.assert_array_equal(first.probe, again.probe)
    np.testing.assert_array_equal(first.reference, again.reference)
    assert not np.array_equal(first.probe, epoch_of(chips, settings, 4, 1).probe)
    other_seed = replace(settings, seed=2)
    assert not np.array_equal(first.probe, epoch_of(chips, other_seed, 3, 1).probe)


@pytest.mark.parametrize("replicas", [1, 2, 3])
def test_a_step_weighs_its_real_examples_alike_and_no_other(replicas: int) -> None:
    chips, settings = chip_set(), replace(KOCH, pairs_per_epoch=50)
    epoch = epoch_of(chips, settings, 1, replicas)
    steps = epoch.share.reshape(-1, 8 * replicas)
    np.testing.assert_allclose(steps.sum(axis=1), 1, rtol=1e-6)
    assert (epoch.share > 0).sum() == 50
    for step in steps:
        assert len(np.unique(step[step > 0])) == 1


def test_triplet_batches_hold_several_chips_of_an_identity() -> None:
    chips = chip_set()
    epoch = epoch_of(chips, replace(KOCH, loss=Loss.TRIPLET), 1, 1)
    for batch in epoch.label.reshape(-1, 8)[:-1]:
        assert np.unique(batch, return_counts=True)[1].max() >= 4


def test_workers_together_see_each_step_of_one_with_a_batch_as_large() -> None:
    chips, settings = chip_set(), replace(KOCH, pairs_per_epoch=70)
    epoch = epoch_of(chips, settings, 1, 2)
    parts = [own_part(epoch, 8, tf.distribute.InputContext(2, worker, 2)) for worker in range(2)]
    alone = own_part(epoch, 16, tf.distribute.InputContext(1, 0, 1)).reshape(-1, 16)
    together = np.concatenate([part.reshape(-1, 8) for part in parts], axis=1)
    np.testing.assert_array_equal(together, alone)
