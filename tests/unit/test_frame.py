"""The fixed frame along which an L1 distance acts as an L2 one."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from model.frame import l1_of_unit_length, tight_frame

SHA256_OF_128 = "79d69da25947bd98814598e37d56d5389b7e1008a129696f00292e317e469d28"


@pytest.mark.parametrize("size", [1, 2, 3, 100, 128, 129])
def test_the_frame_is_tight(size: int) -> None:
    frame = tight_frame(size).astype(np.float64)
    assert np.abs(frame @ frame.T - np.eye(size)).max() < 1e-6


def test_every_machine_makes_the_same_bytes() -> None:
    frame = tight_frame(128)
    assert frame.shape == (128, 2048)
    assert frame.dtype == np.float32
    assert frame.flags.c_contiguous
    assert hashlib.sha256(frame.astype("<f4").tobytes()).hexdigest() == SHA256_OF_128


def test_another_seed_makes_another_frame() -> None:
    assert not np.array_equal(tight_frame(16), tight_frame(16, seed="another"))


def test_the_l1_distance_along_it_is_the_l2_distance_to_two_percent() -> None:
    """E|f.v| of a direction spread evenly is sqrt(2 / pi K) |v| in the limit."""
    generator = np.random.default_rng(0)
    frame = tight_frame(128).astype(np.float64)
    pairs = generator.normal(size=(2, 2000, 128))
    one, other = pairs / np.linalg.norm(pairs, axis=-1, keepdims=True)
    euclid = np.linalg.norm(one - other, axis=1)
    manhattan = np.abs((one - other) @ frame).sum(axis=1)
    ratio = manhattan / euclid
    assert ratio.mean() == pytest.approx(np.sqrt(2 / np.pi * frame.shape[1]), rel=0.01)
    assert np.abs(ratio / ratio.mean() - 1).max() < 0.05
    assert ratio.std() / ratio.mean() < 0.02


@pytest.mark.parametrize("size", [3, 100, 128])
def test_what_it_makes_of_a_unit_length(size: int) -> None:
    """The closed form against directions drawn at random."""
    drawn = np.random.default_rng(0).normal(size=(4000, size))
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    frame = tight_frame(size)
    mean = np.abs(drawn @ frame).sum(axis=1).mean()
    assert l1_of_unit_length(frame) == pytest.approx(mean, rel=2e-3)


def test_without_it_an_axis_aligned_difference_would_count_less() -> None:
    """What the frame is for: plain L1 differs by sqrt(D) between directions."""
    frame = tight_frame(128).astype(np.float64)
    axis, diagonal = np.eye(128)[0], np.full(128, 1 / np.sqrt(128))
    assert np.abs(diagonal).sum() / np.abs(axis).sum() > 11
    along = np.abs(diagonal @ frame).sum() / np.abs(axis @ frame).sum()
    assert 0.7 < along < 1.4
