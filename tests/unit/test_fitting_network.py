"""The paper's tower, the network around it, and what a transfer trains."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from model.backbones.koch import build_koch
from model.types import Image
from training.data.chips import Tower
from training.fitting.augment import augment
from training.fitting.judging import equal_error_rate, judge
from training.fitting.network import Network, trained_variables
from training.fitting.settings import Augment, FitSettings, Loss


def chips(count: int, side: int, seed: int = 1) -> Image:
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def koch() -> Network:
    return Network(FitSettings(Tower.KOCH), identities=3)


def test_the_tower_is_the_papers() -> None:
    tower = build_koch()
    shapes = {layer.name: layer.output.shape[1:] for layer in tower.layers}
    # By hand: an unpadded k x k convolution takes k - 1 off, a pool halves and rounds up.
    assert shapes["conv_1"] == (96, 96, 64)
    assert shapes["pool_1"] == (48, 48, 64)
    assert shapes["conv_2"] == (42, 42, 128)
    assert shapes["pool_2"] == (21, 21, 128)
    assert shapes["conv_3"] == (18, 18, 128)
    assert shapes["pool_3"] == (9, 9, 128)
    assert shapes["conv_4"] == (6, 6, 256)
    assert shapes["flatten"] == (9216,)
    assert shapes["embedding"] == (4096,)
    weights = 300 * 64 + 49 * 64 * 128 + 16 * 128 * 128 + 16 * 128 * 256 + 9216 * 4096
    biases = 64 + 128 + 128 + 256 + 4096
    assert tower.count_params() == weights + biases


def test_the_tower_scales_to_one_and_ends_in_a_sigmoid() -> None:
    tower = build_koch()
    black = tf.zeros((1, 105, 105, 3), tf.uint8)
    white = tf.fill((1, 105, 105, 3), tf.constant(255, tf.uint8))
    scale = tower.get_layer("scale")
    assert float(tf.reduce_max(scale(white))) == pytest.approx(1.0)
    assert float(tf.reduce_max(scale(black))) == 0.0
    # All biases are zero at first: a black chip gives sigmoid(0).
    np.testing.assert_allclose(tower(black).numpy(), 0.5)
    found = tower(chips(2, 105)).numpy()
    assert found.min() > 0
    assert found.max() < 1


def test_a_seed_gives_the_same_tower_again() -> None:
    one, again, other = (build_koch(seed).get_weights() for seed in (1, 1, 2))
    for a, b in zip(one, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(one[0], other[0])


def test_the_logit_is_the_weighed_l1_distance(koch: Network) -> None:
    e = koch.embed(tf.constant(chips(2, 105))).numpy().astype(np.float64)
    kernel, bias = (one.astype(np.float64) for one in koch.head.get_weights())
    expected = np.abs(e[0] - e[1]) @ kernel[:, 0] + bias[0]
    found = float(koch.logits(e[:1].astype(np.float32), e[1:].astype(np.float32))[0])
    assert found == pytest.approx(expected, abs=1e-4)


def test_what_is_exported_scores_as_what_was_trained(koch: Network) -> None:
    e = koch.embed(tf.constant(chips(3, 105)))
    trained = tf.sigmoid(koch.logits(tf.repeat(e[:1], 2, axis=0), e[1:])).numpy()
    exported = koch.siamese()
    np.testing.assert_allclose(exported.score(e[0], e[1:]).numpy(), trained, rtol=1e-5)
    np.testing.assert_allclose(exported.embed(tf.constant(chips(3, 105))).numpy(), e.numpy())


def test_a_loss_of_angles_gets_a_projection_of_unit_length() -> None:
    network = Network(FitSettings(Tower.KOCH, loss=Loss.ARCFACE), identities=5)
    e = network.embed(tf.constant(chips(2, 105))).numpy()
    assert e.shape == (2, 128)
    np.testing.assert_allclose(np.linalg.norm(e, axis=1), 1, rtol=1e-5)
    head, tower = trained_variables(network, FitSettings(Tower.KOCH, loss=Loss.ARCFACE))
    assert not head
    assert network.centres is not None
    assert network.centres.shape == (5, 128)
    assert any(one is network.centres for one in tower)


@pytest.mark.parametrize(
    ("kernels", "lowest", "above"),
    [(0, None, None), (1, "pre_fc1", "conv_14_conv2d"), (2, "conv_14_conv2d", "conv_14_dw_conv2d")],
)
def test_unfreezing_goes_from_the_top(kernels: int, lowest: str | None, above: str | None) -> None:
    settings = FitSettings(Tower.SFACE, unfreeze=kernels)
    network = Network(settings, identities=2)
    _, tower = trained_variables(network, settings)
    paths = {one.path for one in tower}
    if lowest is None:
        assert not paths
        return
    assert any(lowest in path for path in paths)
    assert not any(f"{above}/" in path for path in paths)


def test_every_change_of_a_chip_is_its_seed() -> None:
    chip = tf.constant(chips(1, 64)[0])
    for one in Augment:
        changed = [augment(chip, tf.constant([5, n]), (one,)).numpy() for n in range(6)]
        again = augment(chip, tf.constant([5, 0]), (one,)).numpy()
        np.testing.assert_array_equal(changed[0], again)
        assert all(found.shape == (64, 64, 3) and found.dtype == np.uint8 for found in changed)
        assert len({found.tobytes() for found in changed}) > 1, one
    np.testing.assert_array_equal(augment(chip, tf.constant([5, 0]), ()).numpy(), chip.numpy())


def test_figures_are_counted_by_hand() -> None:
    logits = np.array([2.0, -1.0, 3.0, -2.0, 1.0], dtype=np.float32)
    same = np.array([1, 1, 0, 0, 1], dtype=np.float32)
    found = judge(logits, same)
    assert (found.precision, found.recall, found.accuracy) == (2 / 3, 2 / 3, 3 / 5)
    score = 1 / (1 + np.exp(-logits.astype(np.float64)))
    expected = -np.mean(np.log(np.where(same > 0, score, 1 - score)))
    assert found.loss == pytest.approx(expected, rel=1e-6)


def test_the_equal_error_rate_of_known_scores() -> None:
    scores = np.array([0.9, 0.8, 0.4, 0.6, 0.2, 0.1], dtype=np.float32)
    same = np.array([True, True, True, False, False, False])
    assert equal_error_rate(scores, same) == pytest.approx(1 / 3)
    apart = np.array([True, True, False, False])
    assert equal_error_rate(np.array([4, 3, 2, 1], dtype=np.float32), apart) == 0
