"""The loss of whole batches and Adam, against finite differences, TensorFlow and closed forms."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.unit.test_scratch_siamese import STEP, TOLERANCE
from training.scratch.adam import Adam
from training.scratch.batch_loss import TEMPERATURE, batch_loss, unit_backward, unit_length
from training.scratch.chips import draw_batch
from training.scratch.measure import best_threshold, share_right
from training.scratch.siamese import init_tower, tower_backward, tower_forward
from training.scratch.siamese_learning import learn_from_batches
from training.scratch.types import Float, Parameters
from training.scratch.variations import varied

WHO = np.array(["ada", "ada", "alan", "alan", "alan", "grace", "grace"])


def through(X: Float, parameters: Parameters) -> tuple[float, Parameters]:
    """Loss and gradients of the tower, by way of unit length and the loss."""
    seen = tower_forward(X, parameters)
    loss, dU = batch_loss(unit_length(seen["E"]), WHO)
    return loss, tower_backward(unit_backward(dU, seen["E"]), seen, parameters)


def test_the_gradients_are_finite_differences_and_tensorflows() -> None:
    generator = np.random.default_rng(3)
    X = generator.standard_normal((len(WHO), 32, 32, 3))
    parameters = init_tower(1, (4, 6), 10)
    loss, gradients = through(X, parameters)
    for name, array in parameters.items():
        for _ in range(4):
            place = tuple(int(generator.integers(n)) for n in array.shape)
            kept = array[place]
            array[place] = kept + STEP
            above = through(X, parameters)[0]
            array[place] = kept - STEP
            below = through(X, parameters)[0]
            array[place] = kept
            numeric = (above - below) / (2 * STEP)
            assert numeric == pytest.approx(gradients[f"d{name}"][place], abs=TOLERANCE)
    variables = {name: tf.Variable(array) for name, array in parameters.items()}
    with tf.GradientTape() as tape:
        Z = tf.constant(X)
        for i in (1, 2):
            Z = tf.nn.relu(tf.nn.conv2d(Z, variables[f"W{i}"], 1, "VALID") + variables[f"b{i}"])
            Z = tf.nn.max_pool2d(Z, 2, 2, "SAME")
        E = tf.reshape(Z, (len(WHO), -1)) @ variables["W3"] + variables["b3"]
        U = tf.math.l2_normalize(E, axis=1)
        rows = []
        for i in range(len(WHO)):
            # Spelled out chip by chip, as the formula reads.
            others = [j for j in range(len(WHO)) if j != i]
            close = tf.stack([tf.reduce_sum(U[i] * U[j]) / TEMPERATURE for j in others])
            log_q = close - tf.reduce_logsumexp(close)
            mine = [k for k, j in enumerate(others) if WHO[j] == WHO[i]]
            rows.append(-tf.reduce_mean(tf.gather(log_q, mine)))
        theirs = tf.reduce_mean(tf.stack(rows))
    assert loss == pytest.approx(float(theirs), abs=TOLERANCE)
    for name, gradient in tape.gradient(theirs, variables).items():
        np.testing.assert_allclose(gradients[f"d{name}"], gradient.numpy(), atol=TOLERANCE, rtol=0)


def test_unit_length_at_nothing_has_finite_gradients() -> None:
    E = np.zeros((2, 3))
    assert np.isfinite(unit_length(E)).all()
    assert np.isfinite(unit_backward(np.ones((2, 3)), E)).all()


def test_adam_steps_as_keras_does() -> None:
    generator = np.random.default_rng(1)
    ours: Parameters = {"W1": generator.standard_normal((3, 2)), "b1": np.zeros(2)}
    theirs = {name: keras.Variable(array, dtype="float64") for name, array in ours.items()}
    adam, other = Adam(), keras.optimizers.Adam(0.01)
    for _ in range(20):
        gradients = {f"d{name}": generator.standard_normal(p.shape) for name, p in ours.items()}
        ours = adam.update(ours, gradients, 0.01)
        other.apply([tf.constant(gradients[f"d{name}"]) for name in theirs], list(theirs.values()))
    for name, variable in theirs.items():
        np.testing.assert_allclose(ours[name], np.asarray(variable), atol=1e-6)


@pytest.mark.parametrize("count", [4, 6, 64])
def test_in_a_batch_everybody_has_company(count: int) -> None:
    identities = np.array(["ada"] * 9 + ["alan"] * 2 + ["grace"] + ["kay"] * 3)
    rows = draw_batch(identities, count, np.random.default_rng(1))
    assert len(set(rows.tolist())) == len(rows) <= count
    names, counts = np.unique(identities[rows], return_counts=True)
    assert counts.min() >= 2
    assert "grace" not in names
    assert len(names) == min(3, count // 2)


def test_the_threshold_is_the_best_of_all() -> None:
    generator = np.random.default_rng(2)
    for _ in range(200):
        n = int(generator.integers(1, 12))
        # Few values, so that many are equal.
        d = generator.integers(0, 5, n).astype(np.float64)
        same = generator.integers(0, 2, n).astype(np.float64)
        most = max(np.mean((d <= cut) == (same == 1)) for cut in (-1, 0, 1, 2, 3, 4))
        assert share_right(d, same, best_threshold(d, same)) == most


def test_it_learns_colours_from_batches() -> None:
    generator = np.random.default_rng(7)
    identities = np.repeat(["red", "green", "blue"], 12)
    chips = generator.standard_normal((36, 32, 32, 3))
    for colour in range(3):
        chips[12 * colour : 12 * (colour + 1), ..., colour] += 1.0
    before = chips.copy()
    _, losses = learn_from_batches(chips, identities, 0.002, 30, batch=12, quiet=True)
    # With 3 of 11 others of one's own colour, log 3 is as low as it goes.
    assert np.log(3) - 1e-9 <= losses[-1] < 1.3 < losses[0]
    np.testing.assert_array_equal(chips, before)
    with pytest.raises(ValueError, match="learning diverged at a rate of 1e\\+200"):
        learn_from_batches(chips, identities, 1e200, 5, batch=12, quiet=True)


def test_variations_are_the_chip_shifted_or_mirrored() -> None:
    generator = np.random.default_rng(1)
    X = generator.standard_normal((40, 8, 9, 2))
    made = varied(X, generator)
    assert made.shape == X.shape
    mirrored, shifts = set(), set()
    for before, after in zip(X, made, strict=True):
        # The middle is free of edges: it must be found somewhere in the chip it came from.
        middle = after[2:-2, 2:-2]
        found = [
            (down, right, flip)
            for flip in (False, True)
            for down in range(5)
            for right in range(5)
            if np.array_equal(middle, (before[:, ::-1] if flip else before)[down:, right:][:4, :5])
        ]
        ((down, right, flip),) = found
        mirrored.add(flip)
        shifts.add((down, right))
    assert mirrored == {False, True}
    assert len(shifts) > 10
